use super::*;

#[test]
fn the_newest_item_of_a_seat_takes_the_place_of_the_one_before() {
    let desk = FrameQueue::new(1);
    assert_eq!(desk.leave(0, "old"), None);
    assert_eq!(desk.leave(0, "new"), Some("old"));
    assert_eq!(desk.take(), Some((0, "new")));
}

#[test]
fn seats_take_turns_however_often_one_of_them_is_filled() {
    let desk = FrameQueue::new(3);
    let mut order = Vec::new();
    for item in 0..3 {
        desk.leave(2, item);
        desk.leave(0, item);
    }
    desk.leave(1, 9);
    for _ in 0..3 {
        let (seat, item) = desk.take().expect("three wait");
        order.push((seat, item));
        desk.leave(2, 3);
        desk.done(seat);
    }
    assert_eq!(order, [(2, 2), (0, 2), (1, 9)]);
    assert_eq!(desk.take(), Some((2, 3)));
}

#[test]
fn a_seat_that_is_worked_on_is_given_to_nobody_else() {
    let desk = FrameQueue::new(2);
    desk.leave(0, 1);
    assert_eq!(desk.take(), Some((0, 1)));
    desk.leave(0, 2);
    desk.leave(1, 3);
    assert_eq!(desk.take(), Some((1, 3)));
    desk.done(0);
    assert_eq!(desk.take(), Some((0, 2)));
}

#[test]
fn a_closed_desk_gives_out_what_is_left_and_then_nothing() {
    let desk = FrameQueue::new(2);
    desk.leave(0, 1);
    assert_eq!(desk.take(), Some((0, 1)));
    desk.leave(0, 2);
    desk.close();
    std::thread::scope(|scope| {
        // It waits: the seat is busy, yet something is left.
        let other = scope.spawn(|| desk.take());
        desk.done(0);
        assert_eq!(other.join().expect("no panic"), Some((0, 2)));
    });
    assert_eq!(desk.take(), None);
}

#[test]
fn a_seat_has_settled_when_its_last_item_is_done() {
    let desk = FrameQueue::new(1);
    desk.leave(0, 1);
    desk.take();
    desk.leave(0, 2);
    std::thread::scope(|scope| {
        let settling = scope.spawn(|| desk.settle(0));
        desk.done(0);
        assert_eq!(desk.take(), Some((0, 2)));
        assert!(!settling.is_finished());
        desk.done(0);
    });
}
