use super::*;

fn queue<T>(slots: usize) -> FrameQueue<T> {
    let queue = FrameQueue::new();
    for _ in 0..slots {
        queue.add();
    }
    queue
}

#[test]
fn a_new_item_replaces_the_one_in_its_slot() {
    let queue = queue(1);
    assert_eq!(queue.push(0, "old"), None);
    assert_eq!(queue.push(0, "new"), Some("old"));
    assert_eq!(queue.pop(), Some((0, "new")));
}

#[test]
fn slots_take_turns_however_often_one_of_them_is_filled() {
    let queue = queue(3);
    let mut order = Vec::new();
    for item in 0..3 {
        queue.push(2, item);
        queue.push(0, item);
    }
    queue.push(1, 9);
    for _ in 0..3 {
        let (slot, item) = queue.pop().expect("three wait");
        order.push((slot, item));
        queue.push(2, 3);
        queue.finish(slot);
    }
    assert_eq!(order, [(2, 2), (0, 2), (1, 9)]);
    assert_eq!(queue.pop(), Some((2, 3)));
}

#[test]
fn a_busy_slot_is_given_to_no_other_worker() {
    let queue = queue(2);
    queue.push(0, 1);
    assert_eq!(queue.pop(), Some((0, 1)));
    queue.push(0, 2);
    queue.push(1, 3);
    assert_eq!(queue.pop(), Some((1, 3)));
    queue.finish(0);
    assert_eq!(queue.pop(), Some((0, 2)));
}

#[test]
fn a_closed_queue_returns_the_remaining_items_and_then_none() {
    let queue = queue(2);
    queue.push(0, 1);
    assert_eq!(queue.pop(), Some((0, 1)));
    queue.push(0, 2);
    queue.close();
    std::thread::scope(|scope| {
        // It waits: the slot is busy, yet something is left.
        let other = scope.spawn(|| queue.pop());
        queue.finish(0);
        assert_eq!(other.join().expect("no panic"), Some((0, 2)));
    });
    assert_eq!(queue.pop(), None);
}

#[test]
fn a_slot_is_idle_when_its_last_item_is_finished() {
    let queue = queue(1);
    queue.push(0, 1);
    queue.pop();
    queue.push(0, 2);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| queue.wait_until_idle(0));
        queue.finish(0);
        assert_eq!(queue.pop(), Some((0, 2)));
        assert!(!waiting.is_finished());
        queue.finish(0);
    });
}

#[test]
fn a_removed_slot_takes_and_gives_nothing_and_the_others_go_on() {
    let queue = queue(2);
    queue.push(0, 1);
    queue.push(1, 2);
    queue.remove(0);
    assert_eq!(queue.push(0, 3), Some(3));
    assert_eq!(queue.pop(), Some((1, 2)));
    // A worker may still be busy with an item of a slot that is removed.
    queue.remove(1);
    queue.finish(1);
    queue.wait_until_idle(1);
    assert_eq!(queue.add(), 2);
    queue.push(2, 4);
    assert_eq!(queue.pop(), Some((2, 4)));
}
