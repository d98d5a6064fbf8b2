//! The networks that weights may belong to.

use std::fmt;
use std::str::FromStr;

use super::head::Head;
use crate::graph::{self, Graph, face_net, mini_xception, residual_xception};

/// The smallest width and height from which pixels are left for the last layers.
pub(super) const SMALLEST_INPUT: usize = 12;

/// The networks that weights may belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// mini_XCEPTION of Arriaga, Plöger and Valdenegro: 58 thousand parameters.
    MiniXception,
    /// Separable convolutions in residual blocks: half a million parameters, more accurate.
    ResidualXception,
    /// The same with wider stages and squeeze-and-excite: 2.5 million parameters, the most accurate.
    ResidualXceptionLarge,
    /// The [face detector](face_net).
    FaceNet,
}

/// The purpose of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Tells emotions apart.
    Classification,
    /// Finds faces.
    Detection,
}

impl Architecture {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::MiniXception,
        Self::ResidualXception,
        Self::ResidualXceptionLarge,
        Self::FaceNet,
    ];
    /// Those for [`Task::Classification`].
    pub const CLASSIFIERS: [Self; 3] = [
        Self::MiniXception,
        Self::ResidualXception,
        Self::ResidualXceptionLarge,
    ];

    /// The name in metadata and on command lines.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MiniXception => "mini_xception",
            Self::ResidualXception => "residual_xception",
            Self::ResidualXceptionLarge => "residual_xception_large",
            Self::FaceNet => "face_net",
        }
    }

    /// Its purpose.
    pub const fn task(self) -> Task {
        match self {
            Self::FaceNet => Task::Detection,
            _ => Task::Classification,
        }
    }

    /// The heads that it may have, [`Head::Labels`] first.
    pub const fn heads(self) -> &'static [Head] {
        match self.task() {
            Task::Classification => &[Head::Labels, Head::People, Head::Cover, Head::Turned],
            Task::Detection => &[Head::Labels, Head::Landmarks],
        }
    }

    /// The network for grey pictures of `input_size`² pixels, with [`Head::Labels`] alone; a detector takes pictures of other
    /// sizes as well.
    ///
    /// # Errors
    ///
    /// If there are no classes, or the input is too small to pass all layers.
    pub fn graph(self, input_size: usize, classes: usize) -> Result<Graph, graph::Error> {
        self.graph_with_heads(input_size, classes, &[Head::Labels])
    }

    /// The same with these heads, whose outputs follow each other.
    ///
    /// # Errors
    ///
    /// As [`Architecture::graph`].
    pub fn graph_with_heads(
        self,
        input_size: usize,
        classes: usize,
        heads: &[Head],
    ) -> Result<Graph, graph::Error> {
        if input_size < SMALLEST_INPUT || classes == 0 {
            return Err(graph::Error::Size {
                network: self.name(),
                expected: format!(
                    "an input size of at least {SMALLEST_INPUT} and at least one class"
                ),
                found: format!("{input_size} and {classes}"),
            });
        }
        let has_landmarks = heads.contains(&Head::Landmarks);
        let heads: Vec<_> = heads
            .iter()
            .map(|head| (head.name(), head.outputs(classes)))
            .collect();
        match self {
            Self::MiniXception => mini_xception::graph(input_size, &heads),
            Self::ResidualXception => residual_xception::MEDIUM.graph(input_size, &heads),
            Self::ResidualXceptionLarge => residual_xception::LARGE.graph(input_size, &heads),
            Self::FaceNet => face_net::graph(input_size, input_size, has_landmarks),
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Architecture {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let all = Self::ALL.map(Self::name);
        Self::ALL
            .into_iter()
            .find(|architecture| architecture.name() == name)
            .ok_or_else(|| format!("expected one of {}, found {name}", all.join(", ")))
    }
}
