//! A queue with the newest frame of each stream.

use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The number of a slot. No slot gets a number that another had before.
pub(super) type SlotId = u64;

/// A queue with a slot for each stream, which holds one item. Slots come and go.
#[derive(Debug)]
pub(super) struct FrameQueue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

#[derive(Debug)]
struct State<T> {
    slots: HashMap<SlotId, QueueSlot<T>>,
    next_slot: SlotId,
    /// The slots with an item that can be processed, in the order in which their items came.
    ready: VecDeque<SlotId>,
    is_closed: bool,
}

#[derive(Debug)]
struct QueueSlot<T> {
    waiting: Option<T>,
    /// Whether a worker processes an earlier item. The next one has to wait, to keep the order.
    is_busy: bool,
}

impl<T> FrameQueue<T> {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                slots: HashMap::new(),
                next_slot: 0,
                ready: VecDeque::new(),
                is_closed: false,
            }),
            changed: Condvar::new(),
        }
    }

    /// Adds an empty slot.
    pub(super) fn add(&self) -> SlotId {
        let mut state = self.lock();
        let slot = state.next_slot;
        state.next_slot += 1;
        let empty = QueueSlot {
            waiting: None,
            is_busy: false,
        };
        state.slots.insert(slot, empty);
        slot
    }

    /// Removes a slot and the item in it. Nothing can be put into it any more.
    pub(super) fn remove(&self, slot: SlotId) {
        let mut state = self.lock();
        state.slots.remove(&slot);
        state.ready.retain(|ready| *ready != slot);
        drop(state);
        self.changed.notify_all();
    }

    /// Puts `item` into a slot and returns the item that it replaces, or `item` itself if the slot was removed. Never blocks.
    pub(super) fn push(&self, slot: SlotId, item: T) -> Option<T> {
        let mut state = self.lock();
        let Some(QueueSlot { waiting, is_busy }) = state.slots.get_mut(&slot) else {
            return Some(item);
        };
        let replaced = waiting.replace(item);
        if replaced.is_none() && !*is_busy {
            state.ready.push_back(slot);
            drop(state);
            self.changed.notify_all();
        }
        replaced
    }

    /// Waits for the next item and returns it with its slot; `None` when the queue is closed and empty.
    pub(super) fn pop(&self) -> Option<(SlotId, T)> {
        let mut state = self.lock();
        loop {
            if let Some(slot) = state.ready.pop_front() {
                let Some(QueueSlot { waiting, is_busy }) = state.slots.get_mut(&slot) else {
                    continue;
                };
                *is_busy = true;
                if let Some(item) = waiting.take() {
                    return Some((slot, item));
                }
            }
            // The last item may be in a slot that is still busy.
            let is_empty = state.slots.values().all(|slot| slot.waiting.is_none());
            if state.is_closed && is_empty {
                return None;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Ends the processing of the item from this slot.
    pub(super) fn finish(&self, slot: SlotId) {
        let mut state = self.lock();
        if let Some(QueueSlot { waiting, is_busy }) = state.slots.get_mut(&slot) {
            *is_busy = false;
            if waiting.is_some() {
                state.ready.push_back(slot);
            }
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Waits until no item of this slot waits or is being processed.
    pub(super) fn wait_until_idle(&self, slot: SlotId) {
        let is_in_use = |state: &State<T>| {
            let slot = state.slots.get(&slot);
            slot.is_some_and(|slot| slot.is_busy || slot.waiting.is_some())
        };
        let mut state = self.lock();
        while is_in_use(&state) {
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
