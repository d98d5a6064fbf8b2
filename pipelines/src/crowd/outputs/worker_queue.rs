//! A thread that works off a queue.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;

/// A queue of limited length, and the thread that takes its items.
#[derive(Debug)]
pub(super) struct WorkerQueue<T> {
    /// `None` when it is closed.
    sender: Mutex<Option<SyncSender<T>>>,
    /// Disconnected when the thread has ended.
    ended: Mutex<Receiver<()>>,
}

impl<T: Send + 'static> WorkerQueue<T> {
    /// Starts a thread that runs `work` on a queue of at most `capacity` items.
    ///
    /// # Errors
    ///
    /// If the system refuses the thread.
    pub(super) fn start(
        thread: &str,
        capacity: usize,
        work: impl FnOnce(&Receiver<T>) + Send + 'static,
    ) -> anyhow::Result<Self> {
        let (sender, receiver) = sync_channel(capacity);
        let (running, ended) = sync_channel(0);
        std::thread::Builder::new()
            .name(thread.to_owned())
            .spawn(move || {
                let _running = running;
                work(&receiver);
            })
            .context("the system refuses a thread")?;
        Ok(Self {
            sender: Mutex::new(Some(sender)),
            ended: Mutex::new(ended),
        })
    }

    /// Queues an item. Returns false and drops it if too many wait, or the queue is closed.
    pub(super) fn push(&self, item: T) -> bool {
        let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        sender
            .as_ref()
            .is_some_and(|sender| sender.try_send(item).is_ok())
    }

    /// Lets the thread end after the items that wait.
    pub(super) fn close(&self) {
        let mut sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        *sender = None;
    }

    /// Waits until the thread ends, at most for this time; returns whether it has.
    pub(super) fn ends_within(&self, time: Duration) -> bool {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.recv_timeout(time) != Err(RecvTimeoutError::Timeout)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_and_the_rest_is_worked_off_before_it_ends() {
        let (go, wait) = channel();
        let (done, results) = channel();
        let queue = WorkerQueue::start("test", 2, move |items| {
            wait.recv().expect("it is told to go on");
            items
                .iter()
                .for_each(|item| done.send(item).expect("results are read"));
        });
        let queue = queue.expect("a thread");
        assert_eq!([1, 2, 3].map(|item| queue.push(item)), [true, true, false]);
        queue.close();
        assert!(!queue.push(4));
        assert!(!queue.ends_within(Duration::from_millis(1)));
        go.send(()).expect("the thread waits");
        assert!(queue.ends_within(Duration::from_secs(60)));
        assert_eq!(results.iter().collect::<Vec<i32>>(), [1, 2]);
    }
}
