//! The tensors of a network.

/// First values of a parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Initialization {
    /// All the same.
    Constant(f32),
    /// Uniform between `-limit` and `limit`.
    Uniform {
        /// The largest value.
        limit: f64,
    },
}

impl Initialization {
    /// Glorot's uniform initialisation (Glorot and Bengio 2010): ±√(6 / (fan in + fan out)).
    pub(super) fn glorot(fan_in: usize, fan_out: usize) -> Self {
        Self::Uniform {
            limit: (6.0 / (fan_in + fan_out) as f64).sqrt(),
        }
    }
}

/// A tensor that a network needs.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Its path, such as `modules.3.separable2.depthwise.weight`.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its values before training.
    pub init: Initialization,
    /// Whether training moves it by its gradient; running statistics follow the data instead.
    pub trained: bool,
}

impl Parameter {
    /// The number of its values.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it holds no values. That is true of none in a valid network.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
