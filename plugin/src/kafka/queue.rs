//! The messages that wait.

use std::collections::VecDeque;

use super::IN_FLIGHT;

/// A message that waits.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct KafkaMessage {
    pub(super) topic: String,
    /// Messages of one key stay in their order.
    pub(super) key: Option<String>,
    /// `None` removes what the cluster keeps of the key.
    pub(super) payload: Option<Vec<u8>>,
}

/// The messages that wait until librdkafka takes them, and how many it has.
#[derive(Debug)]
pub(super) struct Backlog {
    waiting: VecDeque<KafkaMessage>,
    in_flight: usize,
    capacity: usize,
    /// Number of acknowledged messages.
    pub(super) sent: u64,
    pub(super) dropped: u64,
}

impl Backlog {
    /// A queue for `capacity` messages, at least one.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            waiting: VecDeque::new(),
            in_flight: 0,
            capacity: capacity.max(1),
            sent: 0,
            dropped: 0,
        }
    }

    /// Adds a message. If the queue is full, the oldest that waits is dropped.
    pub(super) fn push(&mut self, message: KafkaMessage) {
        self.waiting.push_back(message);
        if self.waiting.len() > self.capacity {
            self.waiting.pop_front();
            self.dropped += 1;
        }
    }

    /// Takes the next message out, if one more may be in flight.
    pub(super) fn take_next(&mut self) -> Option<KafkaMessage> {
        if self.in_flight >= IN_FLIGHT {
            return None;
        }
        let message = self.waiting.pop_front()?;
        self.in_flight += 1;
        Some(message)
    }

    /// Ends the flight of a message, which has arrived or not.
    pub(super) fn land(&mut self, has_arrived: bool) {
        if self.in_flight == 0 {
            // All were dropped when the publisher was closed.
            return;
        }
        self.in_flight -= 1;
        match has_arrived {
            true => self.sent += 1,
            false => self.dropped += 1,
        }
    }

    pub(super) fn drop_all(&mut self) {
        self.dropped += self.len() as u64;
        self.waiting.clear();
        self.in_flight = 0;
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len() + self.in_flight
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(number: usize) -> KafkaMessage {
        KafkaMessage {
            topic: "emotion".into(),
            key: None,
            payload: Some(number.to_string().into()),
        }
    }

    fn backlog(capacity: usize, messages: usize) -> Backlog {
        let mut backlog = Backlog::new(capacity);
        (0..messages).for_each(|number| backlog.push(message(number)));
        backlog
    }

    #[test]
    fn a_full_queue_drops_the_oldest() {
        let mut backlog = backlog(2, 3);
        assert_eq!((backlog.len(), backlog.dropped), (2, 1));
        let next: Vec<_> = std::iter::from_fn(|| backlog.take_next()).collect();
        assert_eq!(next, [message(1), message(2)]);
    }

    #[test]
    fn messages_in_flight_are_bounded_and_never_dropped_for_newer_ones() {
        let mut backlog = backlog(1000, IN_FLIGHT + 5);
        let taken = std::iter::from_fn(|| backlog.take_next()).count();
        assert_eq!(taken, IN_FLIGHT);
        (0..2000).for_each(|number| backlog.push(message(number)));
        assert_eq!((backlog.len(), backlog.dropped), (IN_FLIGHT + 1000, 1005));
        backlog.land(true);
        assert_eq!(backlog.take_next(), Some(message(1000)));
        backlog.land(false);
        assert_eq!((backlog.sent, backlog.dropped), (1, 1006));
    }

    #[test]
    fn what_is_left_when_it_is_closed_counts_as_dropped_once() {
        let mut backlog = backlog(10, 3);
        backlog.take_next();
        backlog.drop_all();
        backlog.land(false);
        assert_eq!((backlog.len(), backlog.dropped, backlog.sent), (0, 3, 0));
    }
}
