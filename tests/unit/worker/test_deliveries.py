"""Which message a worker takes next, and what it does not wait for."""

import pytest

from pipeline.worker.deliveries import PATIENCE, Deliveries, Delivery

A, B, S = "A", "B", "S"
STREAMS = {A: ("pilatus",), B: ("andor3_zyla12",), S: ("sardana",)}


@pytest.fixture
def deliveries() -> Deliveries[str]:
    return Deliveries()


def assign(deliveries: Deliveries[str], first: int, events: list[str], now: float = 0.0) -> None:
    """Assign events in order, each with the sources that its name has."""
    for event, sources in enumerate(events, first):
        deliveries.assign(event, {source: STREAMS[source] for source in sources}, now)


def take(deliveries: Deliveries[str], sources: str, now: float = 0.0) -> tuple[int, str] | None:
    """Return event and sources of what is taken; late ones in lower case."""
    delivery = deliveries.take(set(sources), now)
    if delivery is None:
        return None
    names = "".join(sorted(delivery.sources))
    return delivery.event, names if delivery.first else names.lower()


def test_events_are_taken_in_their_order(deliveries) -> None:
    assign(deliveries, 1, [A, B, A, B])
    assert deliveries.wanted == {A, B}
    assert take(deliveries, "") is None
    assert take(deliveries, "AB") == (1, "A")
    assert take(deliveries, "AB") == (2, "B")
    assert take(deliveries, "AB") == (3, "A")
    assert not deliveries.idle
    assert take(deliveries, "AB") == (4, "B")
    assert deliveries.idle
    assert deliveries.passed == []


def test_an_event_of_two_cameras_is_taken_as_a_whole(deliveries) -> None:
    assign(deliveries, 1, ["AB"])
    assert take(deliveries, "A", 10.0) is None
    assert deliveries.wake_at == 10.0 + PATIENCE
    assert take(deliveries, "AB", 10.5) == (1, "AB")


def test_a_pause_of_all_cameras_passes_nothing_over(deliveries) -> None:
    assign(deliveries, 1, [A, B, A, B])
    assert take(deliveries, "A") == (1, "A")
    assert take(deliveries, "B") == (2, "B")
    assert take(deliveries, "", 1000.0) is None
    assert deliveries.wake_at is None
    assert deliveries.passed == []


def test_a_camera_that_dies_is_waited_for_once(deliveries) -> None:
    assign(deliveries, 1, [A, B])
    assert take(deliveries, "A", 1.0) == (1, "A")
    assert take(deliveries, "", 1.0) is None
    assert deliveries.wake_at == 1.0 + PATIENCE
    assert take(deliveries, "", 1.1 + PATIENCE) is None
    assert deliveries.idle, "dranspose gives idle workers more to do"
    assert deliveries.passed == [(2, "andor3_zyla12")]
    assert deliveries.given_up == [2]
    for event in (3, 5, 7):
        assign(deliveries, event, [A, B], 10.0)
        assert take(deliveries, "", 10.0) is None
        assert not deliveries.idle, "the next shot has not come"
        assert take(deliveries, "A", 10.0) == (event, "A")
        assert take(deliveries, "", 10.0) is None
        assert deliveries.idle
    assert deliveries.given_up == [2, 4, 6, 8]


def test_a_camera_that_has_caught_up_is_waited_for_again(deliveries) -> None:
    assign(deliveries, 1, [A, B, A, B])
    assert take(deliveries, "A", 1.0) == (1, "A")
    assert take(deliveries, "A", 1.0) is None
    assert take(deliveries, "A", 1.1 + PATIENCE) == (3, "A")
    assert take(deliveries, "B", 3.0) == (2, "b")
    assert take(deliveries, "B", 3.0) == (4, "B")
    assert deliveries.given_up == [2]
    assign(deliveries, 5, [A, B, A, B], 4.0)
    assert take(deliveries, "A", 4.0) == (5, "A")
    assert take(deliveries, "A", 4.0) is None
    assert deliveries.wake_at == 4.0 + PATIENCE


def test_messages_that_come_late_are_taken_before_all_others(deliveries) -> None:
    assign(deliveries, 1, [A, B, A, B, A, B])
    assert take(deliveries, "A", 1.0) == (1, "A")
    assert take(deliveries, "A", 1.0) is None
    assert take(deliveries, "A", 1.1 + PATIENCE) == (3, "A")
    assert take(deliveries, "A", 1.1 + PATIENCE) == (5, "A")
    assert deliveries.next_event(B) == 2
    assert [take(deliveries, "B", 3.0) for _ in range(3)] == [(2, "b"), (4, "b"), (6, "B")]


def test_frames_do_not_wait_for_a_record(deliveries) -> None:
    assign(deliveries, 1, [A, S, A])
    assert take(deliveries, "A", 1.0) == (1, "A")
    assert take(deliveries, "A", 1.0) == (3, "A")
    assert deliveries.passed == [(2, "sardana")]
    assert take(deliveries, "S", 5.0) == (2, "s")


def test_a_frame_with_a_record_in_its_event_does_not_wait_for_it(deliveries) -> None:
    assign(deliveries, 1, ["AS"])
    assert take(deliveries, "A", 1.0) == (1, "A")
    assert (deliveries.passed, deliveries.given_up) == ([(1, "sardana")], [])
    assert take(deliveries, "S", 1.1) == (1, "s")


def test_a_record_does_not_wait_for_ever_for_its_frames(deliveries) -> None:
    assign(deliveries, 1, [A, S])
    assert take(deliveries, "S", 1.0) is None
    assert take(deliveries, "S", 1.1 + PATIENCE) == (2, "S")
    assert take(deliveries, "A", 9.0) == (1, "a")


def test_a_camera_of_an_event_of_two_that_dies_is_waited_for_once(deliveries) -> None:
    assign(deliveries, 1, ["AB", "AB", "AB"])
    assert take(deliveries, "A", 1.0) is None
    assert take(deliveries, "A", 1.1 + PATIENCE) == (1, "A")
    assert take(deliveries, "A", 1.1 + PATIENCE) == (2, "A")
    assert take(deliveries, "B", 5.0) == (1, "b")
    assert take(deliveries, "B", 5.0) == (2, "b")
    assert take(deliveries, "B", 5.0) is None
    assert take(deliveries, "AB", 5.0) == (3, "AB")
    assert deliveries.given_up == []


def test_one_camera_alone_is_waited_for_as_long_as_it_takes(deliveries) -> None:
    assign(deliveries, 1, [A, A])
    assert take(deliveries, "A", 1.0) == (1, "A")
    assert take(deliveries, "", 1e6) is None
    assert deliveries.wake_at is None
    assert isinstance(deliveries.take({A}, 1e6), Delivery)
