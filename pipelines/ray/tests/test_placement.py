"""Which machine watches which camera."""

from emotion_ray.placement import GRACE, LEASE, QUIET, Camera, Move, Placement


def placement(rates: dict[str, float], nodes: str = "") -> Placement:
    made = Placement(Camera(name, rate) for name, rate in rates.items())
    for node in nodes:
        made.grant(node, 0.0, [], is_full=False)
    return made


def settle(made: Placement, now: float = 0.0) -> int:
    """Makes all moves; returns how many there were."""
    count = 0
    while moves := made.moves(now):
        for move in moves:
            made.done(move)
        count += len(moves)
        assert count < 100
    return count


def test_cameras_are_spread_by_their_rates() -> None:
    made = placement({"fast": 10, "a": 5, "b": 5}, "mn")
    assert settle(made) == 3
    assert made.nodes == {"m": ["fast"], "n": ["a", "b"]}
    assert settle(made) == 0


def test_a_machine_that_joins_takes_cameras_over_one_by_one_removed_before_they_are_added() -> None:
    made = placement({name: 5 for name in "abcdef"}, "m")
    settle(made)
    made.grant("n", 1.0, [], is_full=False)
    first = made.moves(1.0)
    assert [move.kind for move in first] == ["remove"]
    made.done(first[0])
    assert made.moves(1.0) == [Move("add", "n", first[0].camera)]
    settle(made)
    assert [len(cameras) for cameras in made.nodes.values()] == [3, 3]


def test_the_cameras_of_a_machine_that_asks_no_more_wait_until_its_lease_has_certainly_ended() -> None:
    made = placement({name: 5 for name in "abcd"}, "mn")
    settle(made)
    its_own = made.nodes
    made.grant("n", 10.0, its_own["n"], is_full=False)
    end = 10.0 + LEASE + GRACE
    for now in (10.0, 20.0, 30.0):
        assert made.grant("m", now, its_own["m"], is_full=False) == []
        assert made.lost(now) == [] and made.moves(now) == [] and made.unplaced == []
    assert made.lost(end - 0.1) == []
    assert made.lost(end) == ["n"]
    settle(made, end)
    assert made.nodes == {"m": ["a", "b", "c", "d"]}
    # It comes back, and believes that it still has its cameras.
    assert made.grant("n", end + 1, its_own["n"], is_full=False) == its_own["n"]


def test_a_machine_that_is_quiet_gets_no_further_camera() -> None:
    made = placement({"a": 5}, "m")
    assert made.moves(QUIET) == [] and made.unplaced == ["a"]
    made.grant("m", QUIET, [], is_full=False)
    assert made.moves(QUIET) == [Move("add", "m", "a")]


def test_a_machine_that_is_full_gets_no_more_and_gives_some_to_one_that_is_not() -> None:
    made = placement({name: 5 for name in "abcdef"}, "m")
    settle(made)
    made.grant("m", 0.0, "abcdef", is_full=True)
    assert made.moves(0.0) == []
    made.grant("n", 1.0, [], is_full=False)
    settle(made, 1.0)
    assert [len(cameras) for cameras in made.nodes.values()] == [3, 3]
    made.grant("n", 1.0, [], is_full=True)
    assert made.moves(1.0) == []


def test_a_camera_that_its_machine_does_not_name_is_placed_again_after_a_while() -> None:
    made = placement({"a": 5, "b": 5}, "m")
    settle(made)
    made.grant("m", 1.0, ["a"], is_full=False)
    assert made.unplaced == []
    made.grant("m", 2.0, ["a", "b"], is_full=False)
    made.grant("m", 3.0, ["a"], is_full=False)
    made.grant("m", 3.0 + QUIET - 0.1, ["a"], is_full=False)
    assert made.unplaced == []
    made.grant("m", 3.0 + QUIET, ["a"], is_full=False)
    assert made.unplaced == ["b"]


def test_the_cameras_of_a_machine_that_has_ended_are_placed_at_once() -> None:
    made = placement({name: 5 for name in "abcd"}, "mn")
    settle(made)
    made.ended("n")
    assert len(made.unplaced) == 2
    settle(made)
    assert made.nodes == {"m": ["a", "b", "c", "d"]}


def test_without_machines_all_cameras_wait() -> None:
    made = placement({"a": 5})
    assert made.moves(0.0) == [] and made.unplaced == ["a"]


def test_a_driver_that_starts_again_finds_what_the_machines_watch() -> None:
    made = placement({name: 5 for name in "abcd"})
    assert made.grant("m", 0.0, ["a", "b", "c"], is_full=False) == []
    assert made.grant("n", 0.0, ["d", "gone"], is_full=False) == ["gone"]
    assert made.unplaced == []
    settle(made)
    assert [len(cameras) for cameras in made.nodes.values()] == [2, 2]
