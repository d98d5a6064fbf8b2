//! Messages that wait, and those that are under way.

use std::collections::VecDeque;

use super::IN_FLIGHT;

/// First those under way in the order in which they were sent, then those that wait.
#[derive(Debug)]
pub(super) struct Queue {
    messages: VecDeque<(String, Vec<u8>)>,
    under_way: usize,
    bound: usize,
    sent: u64,
    dropped: u64,
}

impl Queue {
    /// A queue for `bound` messages, at least one.
    pub(super) fn new(bound: usize) -> Self {
        Self {
            messages: VecDeque::new(),
            under_way: 0,
            bound: bound.max(1),
            sent: 0,
            dropped: 0,
        }
    }

    /// Adds a message; where the bound is reached the oldest one makes room that is not under way.
    pub(super) fn push(&mut self, topic: &str, payload: Vec<u8>) {
        self.messages.push_back((topic.to_owned(), payload));
        if self.messages.len() - self.under_way > self.bound {
            self.messages.remove(self.under_way);
            self.dropped += 1;
        }
    }

    /// The next message, if it may be sent now.
    pub(super) fn to_send(&self) -> Option<(&str, Vec<u8>)> {
        if self.under_way >= IN_FLIGHT {
            return None;
        }
        let (topic, payload) = self.messages.get(self.under_way)?;
        Some((topic, payload.clone()))
    }

    /// The message of [`to_send`](Self::to_send) is under way.
    pub(super) fn sent_one(&mut self) {
        self.under_way = (self.under_way + 1).min(self.messages.len());
    }

    /// The oldest message under way has arrived.
    pub(super) fn acknowledge(&mut self) {
        if self.under_way > 0 {
            self.under_way -= 1;
            self.messages.pop_front();
            self.sent += 1;
        }
    }

    /// The connection is gone: what was under way waits again, in its place, as far as there is room.
    pub(super) fn unsend(&mut self) {
        self.under_way = 0;
        while self.messages.len() > self.bound {
            self.messages.pop_front();
            self.dropped += 1;
        }
    }

    pub(super) fn drop_all(&mut self) {
        self.dropped += self.messages.len() as u64;
        self.messages.clear();
        self.under_way = 0;
    }

    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    pub(super) fn sent(&self) -> u64 {
        self.sent
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests;
