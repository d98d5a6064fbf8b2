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
mod tests {
    use super::*;

    fn queue(bound: usize, messages: u8) -> Queue {
        let mut queue = Queue::new(bound);
        for number in 0..messages {
            queue.push("t", vec![number]);
        }
        queue
    }

    fn send_all(queue: &mut Queue) -> Vec<u8> {
        let mut sent = Vec::new();
        while let Some((_, payload)) = queue.to_send() {
            sent.extend(payload);
            queue.sent_one();
        }
        sent
    }

    #[test]
    fn a_full_queue_drops_its_oldest_messages_and_counts_them() {
        let mut queue = queue(3, 5);
        assert_eq!((queue.len(), queue.dropped()), (3, 2));
        assert_eq!(send_all(&mut queue), [2, 3, 4]);
    }

    #[test]
    fn no_more_than_so_many_are_under_way() {
        let mut queue = queue(100, 40);
        assert_eq!(send_all(&mut queue).len(), IN_FLIGHT);
        queue.acknowledge();
        assert_eq!(send_all(&mut queue), [IN_FLIGHT as u8]);
        assert_eq!((queue.sent(), queue.len()), (1, 39));
    }

    #[test]
    fn after_a_lost_connection_what_was_not_acknowledged_is_sent_first() {
        let mut queue = queue(10, 3);
        send_all(&mut queue);
        queue.acknowledge();
        queue.push("t", vec![9]);
        queue.unsend();
        assert_eq!(send_all(&mut queue), [1, 2, 9]);
    }

    #[test]
    fn messages_under_way_are_not_dropped_for_new_ones() {
        let mut queue = queue(2, 2);
        send_all(&mut queue);
        for number in 5..8 {
            queue.push("t", vec![number]);
        }
        assert_eq!((queue.len(), queue.dropped()), (4, 1));
        queue.unsend();
        assert_eq!(send_all(&mut queue), [6, 7]);
    }

    #[test]
    fn an_acknowledgement_of_nothing_changes_nothing() {
        let mut queue = queue(2, 1);
        queue.acknowledge();
        assert_eq!((queue.len(), queue.sent()), (1, 0));
    }
}
