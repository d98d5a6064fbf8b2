//! Work that is done in the background, a few pieces ahead of who needs them.

use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

/// Pieces that wait, so that a slow one does not stop the training.
const AHEAD: usize = 4;

/// What a thread of its own makes, in order.
#[derive(Debug)]
pub struct Prefetched<T> {
    prepared: Option<Receiver<T>>,
    worker: Option<JoinHandle<()>>,
}

/// Where the thread puts what it has made.
#[derive(Debug)]
pub(crate) struct PrefetchSender<T>(SyncSender<T>);

impl<T> PrefetchSender<T> {
    /// Waits until there is room; whether anybody still wants it.
    pub(crate) fn put(&self, piece: T) -> bool {
        self.0.send(piece).is_ok()
    }
}

impl<T: Send + 'static> Prefetched<T> {
    /// Starts `work`, which puts its pieces into the outlet until it has no more or nobody wants them.
    pub(crate) fn start(work: impl FnOnce(&PrefetchSender<T>) + Send + 'static) -> Self {
        let (sender, prepared) = sync_channel(AHEAD);
        let worker = thread::spawn(move || work(&PrefetchSender(sender)));
        Self {
            prepared: Some(prepared),
            worker: Some(worker),
        }
    }
}

impl<T> Prefetched<T> {
    /// Waits for the thread; its panic goes on here, lest an epoch ends early without a word.
    fn finish(&mut self) {
        self.prepared = None;
        let outcome = self.worker.take().map_or(Ok(()), JoinHandle::join);
        if let Err(panic) = outcome
            && !thread::panicking()
        {
            resume_unwind(panic);
        }
    }
}

impl<T> Iterator for Prefetched<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        let piece = self.prepared.as_ref()?.recv().ok();
        if piece.is_none() {
            self.finish();
        }
        piece
    }
}

impl<T> Drop for Prefetched<T> {
    fn drop(&mut self) {
        self.finish();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn the_pieces_come_in_order() {
        let numbers = Prefetched::start(|outlet| {
            for number in 0..20 {
                outlet.put(number);
            }
        });
        assert_eq!(numbers.collect::<Vec<_>>(), (0..20).collect::<Vec<_>>());
    }

    #[test]
    fn who_leaves_early_ends_the_thread() {
        let kept = Arc::new(());
        let lent = Arc::clone(&kept);
        let mut endless = Prefetched::start(move |outlet| while outlet.put(Arc::clone(&lent)) {});
        endless.next().unwrap();
        drop(endless);
        assert_eq!(Arc::strong_count(&kept), 1);
    }

    #[test]
    #[should_panic(expected = "no more")]
    fn a_panic_in_the_background_does_not_pass_for_the_end() {
        Prefetched::start(|outlet| {
            outlet.put(1);
            panic!("no more");
        })
        .for_each(drop);
    }
}
