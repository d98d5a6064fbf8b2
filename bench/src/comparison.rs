//! A comparison of our speed with that of a peer.

use anyhow::Result;

use crate::args::Args;
use crate::report::Measurement;

/// A comparison that can be run by its name.
pub(crate) struct Comparison {
    pub(crate) name: String,
    run: Run,
}

type Run = Box<dyn Fn(&str, &Args) -> Result<Vec<Measurement>>>;

impl Comparison {
    /// A comparison whose measurements come from `run`, which gets the name as well.
    pub(crate) fn new(
        name: String,
        run: impl Fn(&str, &Args) -> Result<Vec<Measurement>> + 'static,
    ) -> Self {
        Self {
            name,
            run: Box::new(run),
        }
    }

    pub(crate) fn run(&self, args: &Args) -> Result<Vec<Measurement>> {
        (self.run)(&self.name, args)
    }
}
