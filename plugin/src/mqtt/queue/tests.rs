use super::*;

fn queue(capacity: usize, messages: u8) -> Queue {
    let mut queue = Queue::new(capacity);
    for number in 0..messages {
        queue.push("t", vec![number]);
    }
    queue
}

fn send_all(queue: &mut Queue) -> Vec<u8> {
    let mut sent = Vec::new();
    while let Some((_, payload, _)) = queue.to_send() {
        sent.extend(payload);
        queue.sent_one();
    }
    sent
}

#[test]
fn a_full_queue_drops_its_oldest_messages_and_counts_them() {
    let mut queue = queue(3, 5);
    assert_eq!((queue.len(), queue.dropped), (3, 2));
    assert_eq!(send_all(&mut queue), [2, 3, 4]);
}

#[test]
fn the_number_of_messages_in_flight_is_limited() {
    let mut queue = queue(100, 40);
    assert_eq!(send_all(&mut queue).len(), IN_FLIGHT);
    queue.acknowledge();
    assert_eq!(send_all(&mut queue), [IN_FLIGHT as u8]);
    assert_eq!((queue.sent, queue.len()), (1, 39));
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
fn messages_in_flight_are_not_dropped_for_new_ones() {
    let mut queue = queue(2, 2);
    send_all(&mut queue);
    for number in 5..8 {
        queue.push("t", vec![number]);
    }
    assert_eq!((queue.len(), queue.dropped), (4, 1));
    queue.unsend();
    assert_eq!(send_all(&mut queue), [6, 7]);
}

#[test]
fn an_acknowledgement_of_nothing_changes_nothing() {
    let mut queue = queue(2, 1);
    queue.acknowledge();
    assert_eq!((queue.len(), queue.sent), (1, 0));
}

#[test]
fn retained_messages_that_wait_are_forgotten_and_those_in_flight_are_not() {
    let mut queue = Queue::new(10);
    queue.push_retained("state", vec![1]);
    send_all(&mut queue);
    queue.push("t", vec![2]);
    queue.push_retained("state", vec![3]);
    queue.forget_retained();
    assert_eq!(queue.len(), 2);
    assert_eq!(send_all(&mut queue), [2]);
}
