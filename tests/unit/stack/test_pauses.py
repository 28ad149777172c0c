"""Pauses before restarts."""

from femtotango.stack.pauses import Pauses


def test_what_ends_again_and_again_waits_longer_each_time():
    pauses, now, waited = Pauses(), 0.0, []
    pauses.begin("worker1", now)
    for _ in range(10):
        ended = now
        while not pauses.is_over("worker1", now):
            now += 0.25
        waited.append(now - ended)
        pauses.begin("worker1", now)
    assert waited == [0, 0.25, 0.5, 1, 2, 4, 8, 16, 30, 30]


def test_what_lived_long_is_restarted_at_once():
    pauses = Pauses()
    for start in (0.0, 1.0, 1.5):
        pauses.begin("worker1", start)
        pauses.is_over("worker1", start)
    pauses.begin("worker1", 2.0)
    assert pauses.is_over("worker1", 100.0)


def test_processes_do_not_wait_for_one_another():
    pauses = Pauses()
    for start in (0.0, 1.0, 2.0):
        pauses.begin("worker1", start)
        pauses.is_over("worker1", start)
    pauses.begin("worker1", 3.0)
    pauses.begin("worker2", 3.0)
    assert not pauses.is_over("worker1", 3.0)
    assert pauses.is_over("worker2", 3.0)
