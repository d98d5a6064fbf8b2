//! Detection for a tracker: where it asks for it, and with what is not sure enough to begin a track but may continue one.

use emotion_models::preprocess::GreyRows;

use crate::track::Search;
use crate::{DetectedFace, Detector, Error, Options};

/// A face continues its track from this share of the confidence that begins one.
const WEAK: f32 = 0.5;
/// The longer side of a part as the network sees it, in pixels: a face takes about a third of it.
const PART: f32 = 96.0;

impl Detector {
    /// The faces where `search` asks for them. Those with the confidence that [`strong`](Self::strong) says are the ones
    /// that `options` look for, the others might be faces too.
    ///
    /// # Errors
    ///
    /// As [`detect`](Self::detect).
    pub fn search(
        &mut self,
        picture: &impl GreyRows,
        search: &Search,
        options: &Options,
    ) -> Result<Vec<DetectedFace>, Error> {
        let weaker = Options {
            threshold: options.threshold * WEAK,
            min_neighbors: options.min_neighbors / 2,
            max_faces: 0,
            ..*options
        };
        let faces = match search {
            Search::Nothing => Vec::new(),
            Search::Everything => self.detect(picture, &weaker)?,
            Search::Parts(parts) => {
                let mut faces = Vec::new();
                for part in parts {
                    let scale = PART / part.width.max(part.height);
                    faces.extend(self.detect_in(picture, *part, scale, &weaker)?);
                }
                faces
            }
        };
        let strong = self.strong(options);
        let (mut found, weak): (Vec<_>, Vec<_>) = faces
            .into_iter()
            .partition(|face| face.confidence >= strong);
        options.limit(&mut found);
        found.extend(weak);
        Ok(found)
    }

    /// The least confidence of a face that `options` look for.
    pub fn strong(&self, options: &Options) -> f64 {
        match self {
            Self::Network(_) => f64::from(options.threshold),
            #[cfg(feature = "cascade")]
            Self::Cascade(_) => {
                let more = options.min_neighbors.saturating_add(1);
                crate::cascade::confidence(
                    i32::try_from(more).unwrap_or(i32::MAX),
                    options.scale_factor,
                )
            }
        }
    }
}
