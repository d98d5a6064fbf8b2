//! A queue with the newest frame of each stream.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A queue with a slot for each stream, which holds one item.
#[derive(Debug)]
pub(super) struct FrameQueue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

#[derive(Debug)]
struct State<T> {
    slots: Vec<QueueSlot<T>>,
    /// The slots with an item that can be processed, in the order in which their items came.
    ready: VecDeque<usize>,
    is_closed: bool,
}

#[derive(Debug)]
struct QueueSlot<T> {
    waiting: Option<T>,
    /// Whether a worker processes an earlier item. The next one has to wait, to keep the order.
    is_busy: bool,
}

impl<T> FrameQueue<T> {
    pub(super) fn new(slots: usize) -> Self {
        let empty = || QueueSlot {
            waiting: None,
            is_busy: false,
        };
        Self {
            state: Mutex::new(State {
                slots: std::iter::repeat_with(empty).take(slots).collect(),
                ready: VecDeque::new(),
                is_closed: false,
            }),
            changed: Condvar::new(),
        }
    }

    /// Puts `item` into a slot and returns the item that it replaces. Never blocks.
    pub(super) fn push(&self, slot: usize, item: T) -> Option<T> {
        let mut state = self.lock();
        let QueueSlot { waiting, is_busy } = &mut state.slots[slot];
        let replaced = waiting.replace(item);
        if replaced.is_none() && !*is_busy {
            state.ready.push_back(slot);
            drop(state);
            self.changed.notify_all();
        }
        replaced
    }

    /// Waits for the next item and returns it with its slot; `None` when the queue is closed and empty.
    pub(super) fn pop(&self) -> Option<(usize, T)> {
        let mut state = self.lock();
        loop {
            if let Some(slot) = state.ready.pop_front() {
                let QueueSlot { waiting, is_busy } = &mut state.slots[slot];
                *is_busy = true;
                if let Some(item) = waiting.take() {
                    return Some((slot, item));
                }
            }
            // The last item may be in a slot that is still busy.
            let is_over = state.is_closed && state.slots.iter().all(|slot| slot.waiting.is_none());
            if is_over {
                return None;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Ends the processing of the item from this slot.
    pub(super) fn finish(&self, slot: usize) {
        let mut state = self.lock();
        let QueueSlot { waiting, is_busy } = &mut state.slots[slot];
        *is_busy = false;
        if waiting.is_some() {
            state.ready.push_back(slot);
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Waits until no item of this slot waits or is being processed.
    pub(super) fn wait_until_idle(&self, slot: usize) {
        let mut state = self.lock();
        while state.slots[slot].is_busy || state.slots[slot].waiting.is_some() {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Closes the queue. Workers end when it is empty.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
