from hypothesis import given
from hypothesis import strategies as st

from pipeline.reducer.reorder import Reorder


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


def test_a_gap_can_be_skipped() -> None:
    reorder: Reorder[str] = Reorder()
    assert list(reorder.add(3, "d")) == []
    assert len(reorder) == 1
    assert list(reorder.skip_gap()) == ["d"]
    assert reorder.next == 4
    assert list(reorder.skip_gap()) == []
