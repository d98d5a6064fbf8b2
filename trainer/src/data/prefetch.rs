//! Items produced by a background thread, a few ahead of the consumer.

use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

/// Items that are produced ahead, so that a slow one does not stop the training.
const AHEAD: usize = 4;

/// The items of a background thread, in order.
#[derive(Debug)]
pub struct Prefetched<T> {
    items: Option<Receiver<T>>,
    worker: Option<JoinHandle<()>>,
}

/// The end of the channel that the thread sends items to.
#[derive(Debug)]
pub(crate) struct PrefetchSender<T>(SyncSender<T>);

impl<T> PrefetchSender<T> {
    /// Waits for room and sends an item; false if the receiver is gone.
    pub(crate) fn send(&self, item: T) -> bool {
        self.0.send(item).is_ok()
    }
}

impl<T: Send + 'static> Prefetched<T> {
    /// Starts `work`, which sends its items until it has no more or the receiver is gone.
    pub(crate) fn start(work: impl FnOnce(&PrefetchSender<T>) + Send + 'static) -> Self {
        let (sender, items) = sync_channel(AHEAD);
        let worker = thread::spawn(move || work(&PrefetchSender(sender)));
        Self {
            items: Some(items),
            worker: Some(worker),
        }
    }
}

impl<T> Prefetched<T> {
    /// Waits for the thread and passes on its panic: an epoch must not end early in silence.
    fn finish(&mut self) {
        self.items = None;
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
        let item = self.items.as_ref()?.recv().ok();
        if item.is_none() {
            self.finish();
        }
        item
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
    fn the_items_come_in_order() {
        let numbers = Prefetched::start(|sender| {
            for number in 0..20 {
                sender.send(number);
            }
        });
        assert_eq!(numbers.collect::<Vec<_>>(), (0..20).collect::<Vec<_>>());
    }

    #[test]
    fn who_leaves_early_ends_the_thread() {
        let kept = Arc::new(());
        let lent = Arc::clone(&kept);
        let mut endless = Prefetched::start(move |sender| while sender.send(Arc::clone(&lent)) {});
        endless.next().unwrap();
        drop(endless);
        assert_eq!(Arc::strong_count(&kept), 1);
    }

    #[test]
    #[should_panic(expected = "no more")]
    fn a_panic_in_the_background_does_not_pass_for_the_end() {
        Prefetched::start(|sender| {
            sender.send(1);
            panic!("no more");
        })
        .for_each(drop);
    }
}
