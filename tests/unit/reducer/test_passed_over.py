"""What workers do not wait for is outstanding until it comes to each of them."""

from pipeline.protocols.batch import Batch, EventResult
from pipeline.reducer.passed_over import PassedOver


def batch(
    worker: str, event: int, *streams: str, passed: tuple[tuple[int, str], ...] = ()
) -> Batch:
    return Batch("boot", 0, "m", worker, event, EventResult(streams=streams), passed=passed)


def test_a_message_is_outstanding_until_it_comes() -> None:
    over = PassedOver()
    over.note(batch("w1", 5, "pilatus", passed=((3, "sardana"), (4, "andor3_balor"))))
    assert over
    assert over.without_photons(range(3, 6), {"andor3_balor"}) == 1
    over.note(batch("w1", 3, "sardana"))
    assert over
    over.note(batch("w1", 4, "andor3_balor"))
    assert not over


def test_a_message_for_all_workers_has_to_come_to_each_that_passed_it_over() -> None:
    over = PassedOver()
    over.note(batch("w1", 0, "pilatus", passed=((0, "sardana"),)))
    over.note(batch("w2", 0, "pilatus", passed=((0, "sardana"),)))
    over.note(batch("w1", 0, "sardana"))
    assert over
    over.note(batch("w2", 0, "sardana"))
    assert not over
