//! Where streams leave their newest frame and workers take it.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A seat for each stream, with room for one item.
#[derive(Debug)]
pub(super) struct FrameQueue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

#[derive(Debug)]
struct State<T> {
    seats: Vec<QueueSlot<T>>,
    /// The seats whose item nobody works on, in the order in which they came.
    turns: VecDeque<usize>,
    is_closed: bool,
}

#[derive(Debug)]
struct QueueSlot<T> {
    waiting: Option<T>,
    /// A worker is at an earlier item; the next one has to wait, or they would change their order.
    is_busy: bool,
}

impl<T> FrameQueue<T> {
    pub(super) fn new(seats: usize) -> Self {
        let seat = || QueueSlot {
            waiting: None,
            is_busy: false,
        };
        Self {
            state: Mutex::new(State {
                seats: std::iter::repeat_with(seat).take(seats).collect(),
                turns: VecDeque::new(),
                is_closed: false,
            }),
            changed: Condvar::new(),
        }
    }

    /// Leaves `item` at a seat, in place of one that waits there: that one is returned. Never waits.
    pub(super) fn leave(&self, seat: usize, item: T) -> Option<T> {
        let mut state = self.lock();
        let QueueSlot { waiting, is_busy } = &mut state.seats[seat];
        let replaced = waiting.replace(item);
        if replaced.is_none() && !*is_busy {
            state.turns.push_back(seat);
            drop(state);
            self.changed.notify_all();
        }
        replaced
    }

    /// Waits for an item, of all seats the one whose turn it is; none when the desk is closed and nothing is left.
    pub(super) fn take(&self) -> Option<(usize, T)> {
        let mut state = self.lock();
        loop {
            if let Some(seat) = state.turns.pop_front() {
                let QueueSlot { waiting, is_busy } = &mut state.seats[seat];
                *is_busy = true;
                if let Some(item) = waiting.take() {
                    return Some((seat, item));
                }
            }
            // What another worker makes free may be the last item.
            let is_over = state.is_closed && state.seats.iter().all(|seat| seat.waiting.is_none());
            if is_over {
                return None;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The worker that took from this seat is done with it.
    pub(super) fn done(&self, seat: usize) {
        let mut state = self.lock();
        let at = &mut state.seats[seat];
        at.is_busy = false;
        if at.waiting.is_some() {
            state.turns.push_back(seat);
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Waits until nothing of this seat waits or is worked on.
    pub(super) fn settle(&self, seat: usize) {
        let mut state = self.lock();
        while state.seats[seat].is_busy || state.seats[seat].waiting.is_some() {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Nothing will be left any more: workers go home when they have taken what there is.
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
