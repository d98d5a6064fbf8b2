//! The hash of data and parameters, which is also that of weights.

pub(crate) use emotion_models::hash::fnv1a;
