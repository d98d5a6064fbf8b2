//! The messages that wait, and those in flight.

use std::collections::VecDeque;

/// The most messages that wait for an acknowledgement of the broker at a time.
pub const IN_FLIGHT: usize = 16;

/// A message that waits or is in flight.
#[derive(Debug)]
struct Message {
    topic: String,
    payload: Vec<u8>,
    /// Whether the broker keeps it for those who come later.
    is_retained: bool,
}

/// First the messages in flight in the order in which they were sent, then those that wait.
#[derive(Debug)]
pub(super) struct Queue {
    messages: VecDeque<Message>,
    in_flight: usize,
    capacity: usize,
    /// Number of acknowledged messages.
    pub(super) sent: u64,
    pub(super) dropped: u64,
}

impl Queue {
    /// A queue for `capacity` messages, at least one.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            messages: VecDeque::new(),
            in_flight: 0,
            capacity: capacity.max(1),
            sent: 0,
            dropped: 0,
        }
    }

    /// Adds a message. If the queue is full, the oldest message that is not in flight is dropped.
    pub(super) fn push(&mut self, topic: &str, payload: Vec<u8>) {
        self.add(topic, payload, false);
    }

    /// Adds a message that the broker keeps.
    pub(super) fn push_retained(&mut self, topic: &str, payload: Vec<u8>) {
        self.add(topic, payload, true);
    }

    fn add(&mut self, topic: &str, payload: Vec<u8>, is_retained: bool) {
        self.messages.push_back(Message {
            topic: topic.to_owned(),
            payload,
            is_retained,
        });
        if self.messages.len() - self.in_flight > self.capacity {
            self.messages.remove(self.in_flight);
            self.dropped += 1;
        }
    }

    /// Removes the retained messages that wait, because newer ones follow.
    pub(super) fn forget_retained(&mut self) {
        let mut index = 0;
        let in_flight = self.in_flight;
        self.messages.retain(|message| {
            index += 1;
            index <= in_flight || !message.is_retained
        });
    }

    /// The next message with its topic and whether it is retained, if it may be sent now.
    pub(super) fn to_send(&self) -> Option<(&str, Vec<u8>, bool)> {
        if self.in_flight >= IN_FLIGHT {
            return None;
        }
        let message = self.messages.get(self.in_flight)?;
        Some((&message.topic, message.payload.clone(), message.is_retained))
    }

    /// Marks the message of [`to_send`](Self::to_send) as in flight.
    pub(super) fn sent_one(&mut self) {
        self.in_flight = (self.in_flight + 1).min(self.messages.len());
    }

    /// Removes the oldest message in flight, which the broker has acknowledged.
    pub(super) fn acknowledge(&mut self) {
        if self.in_flight > 0 {
            self.in_flight -= 1;
            self.messages.pop_front();
            self.sent += 1;
        }
    }

    /// After a lost connection: the messages in flight wait again, in their place, as far as there is room.
    pub(super) fn unsend(&mut self) {
        self.in_flight = 0;
        while self.messages.len() > self.capacity {
            self.messages.pop_front();
            self.dropped += 1;
        }
    }

    pub(super) fn drop_all(&mut self) {
        self.dropped += self.messages.len() as u64;
        self.messages.clear();
        self.in_flight = 0;
    }

    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }
}

#[cfg(test)]
mod tests;
