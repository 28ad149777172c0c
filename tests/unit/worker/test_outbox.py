"""Batches are sent until dranspose's next call of the same worker object acknowledges them."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.protocols.batch import Batch, EventResult
from pipeline.worker.outbox import Outbox


def send(outbox: Outbox, sender: object, event: int) -> tuple[Batch, ...]:
    put(outbox, event)
    return outbox.send(sender)


def put(outbox: Outbox, event: int) -> None:
    outbox.put("scan", "w1", event, EventResult(), ("background",))


def test_a_batch_tells_where_it_comes_from() -> None:
    (batch,) = send(Outbox(), object(), 7)
    assert (batch.mapping, batch.worker, batch.event) == ("scan", "w1", 7)
    assert (batch.sequence, batch.refused) == (0, ("background",))


def test_the_next_call_of_the_same_object_acknowledges() -> None:
    outbox, worker = Outbox(), object()
    assert outbox.acknowledge(worker) == ()
    sent = send(outbox, worker, 0)
    assert outbox.acknowledge(worker) == sent
    assert [batch.event for batch in send(outbox, worker, 1)] == [1]


def test_a_new_object_sends_again_what_nobody_acknowledged() -> None:
    outbox, old, new = Outbox(), object(), object()
    send(outbox, old, 0)
    assert outbox.acknowledge(new) == ()
    assert [batch.event for batch in send(outbox, new, 1)] == [0, 1]


def test_a_late_call_of_an_old_object_acknowledges_nothing() -> None:
    outbox, old, new = Outbox(), object(), object()
    send(outbox, old, 0)
    send(outbox, new, 1)
    assert outbox.acknowledge(old) == ()
    assert [batch.event for batch in send(outbox, old, 2)] == [0, 1, 2]
    assert outbox.acknowledge(new) == ()


def test_what_was_put_and_not_sent_is_not_acknowledged() -> None:
    outbox, worker = Outbox(), object()
    send(outbox, worker, 0)
    assert len(outbox.acknowledge(worker)) == 1
    put(outbox, 1)
    assert outbox.acknowledge(worker) == ()
    assert [batch.event for batch in send(outbox, worker, 2)] == [1, 2]
    assert len(outbox.acknowledge(worker)) == 2
    assert outbox.send(worker) == ()


def test_two_processes_never_give_the_same_id() -> None:
    first, second = (send(Outbox(), object(), 0)[0] for _ in range(2))
    assert first.boot != second.boot


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=40))
def test_whatever_is_lost_arrives_in_the_end_and_in_order(calls: list[tuple[int, bool]]) -> None:
    """dranspose loses a result only when it goes on with another object."""
    outbox, workers = Outbox(), [object(), object(), object()]
    arrived: dict[int, int] = {}
    lost_by: object = None
    for event, (index, lost) in enumerate([*calls, (0, False), (1, False)]):
        worker = workers[index]
        if worker is lost_by:
            continue
        outbox.acknowledge(worker)
        batches = send(outbox, worker, event)
        assert [b.sequence for b in batches] == sorted(b.sequence for b in batches)
        lost_by = worker if lost else None
        if not lost:
            arrived.update((batch.sequence, batch.event) for batch in batches)
    assert sorted(arrived) == list(range(len(arrived)))
