//! A class that adds nothing to [`FaceDetect`] but its name.

use gst::glib;
use gst::subclass::prelude::*;
use gst_base::subclass::BaseTransformMode;
use gst_base::subclass::prelude::*;

use crate::facedetect::FaceDetect;

/// What a class derived from [`FaceDetect`] implements.
trait FaceDetectImpl: BaseTransformImpl {}

// SAFETY: the class of `FaceDetect` is that of `GstBaseTransform` without fields of its own, so there is nothing else to set up.
unsafe impl<T: FaceDetectImpl> IsSubclassable<T> for FaceDetect {}

/// The implementation of [`super::FaceDetectAlias`].
#[derive(Default)]
pub struct FaceDetectAlias;

#[glib::object_subclass]
impl ObjectSubclass for FaceDetectAlias {
    const NAME: &'static str = "GstEmotionFaceDetectAlias";
    type Type = super::FaceDetectAlias;
    type ParentType = FaceDetect;
}

impl ObjectImpl for FaceDetectAlias {}
impl GstObjectImpl for FaceDetectAlias {}
impl ElementImpl for FaceDetectAlias {}

impl BaseTransformImpl for FaceDetectAlias {
    const MODE: BaseTransformMode = BaseTransformMode::AlwaysInPlace;
    const PASSTHROUGH_ON_SAME_CAPS: bool = false;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;
}

impl FaceDetectImpl for FaceDetectAlias {}
