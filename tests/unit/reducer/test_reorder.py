from hypothesis import given
from hypothesis import strategies as st

from pipeline.reducer.reorder import Reorder


def skip_gaps(reorder: Reorder[str], arrivals: int) -> list[str]:
    """Give out all that were among the first so many arrivals, gaps or not."""
    event = reorder.highest_of(arrivals)
    return [] if event is None else list(reorder.skip_to(event))


@given(st.permutations(range(30)))
def test_any_order_comes_out_in_order(order: list[int]) -> None:
    reorder: Reorder[int] = Reorder()
    out = [item for number in order for item in reorder.add(number, number)]
    assert out == list(range(30))


def test_what_comes_twice_is_given_out_and_a_gap_waits_for_the_end() -> None:
    reorder: Reorder[str] = Reorder()
    assert list(reorder.add(0, "start of one")) == ["start of one"]
    assert list(reorder.add(0, "start of another")) == ["start of another"]
    assert list(reorder.add(2, "c")) == []
    assert list(reorder.add(4, "e")) == []
    assert list(reorder.rest()) == ["c", "e"]


def test_a_lost_event_does_not_hold_back_a_long_run() -> None:
    reorder: Reorder[int] = Reorder(limit=10)
    out = [item for number in range(1, 100) for item in reorder.add(number, number)]
    assert out == list(range(1, 100))


def test_gaps_before_what_has_waited_long_enough_are_skipped() -> None:
    reorder: Reorder[str] = Reorder()
    assert reorder.longest_waiting is None
    for event, item in ((3, "d"), (8, "i"), (5, "f"), (12, "m")):
        assert list(reorder.add(event, item)) == []
    assert reorder.longest_waiting == 0
    assert list(skip_gaps(reorder, 2)) == ["d", "f", "i"]
    assert (reorder.next, reorder.longest_waiting, reorder.arrivals) == (9, 3, 4)
    assert list(skip_gaps(reorder, 2)) == []
    assert list(skip_gaps(reorder, 4)) == ["m"]
    assert list(skip_gaps(reorder, 4)) == []


def test_what_is_passed_over_is_not_waited_for_and_may_still_come() -> None:
    reorder: Reorder[str] = Reorder()
    assert list(reorder.add(0, "a")) == ["a"]
    assert list(reorder.add(3, "d")) == []
    assert list(reorder.pass_over([2])) == []
    assert list(reorder.pass_over([1])) == ["d"]
    assert reorder.next == 4
    assert list(reorder.add(1, "b")) == ["b"]
    assert list(reorder.add(4, "e")) == ["e"]
