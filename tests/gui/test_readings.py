"""The newest reading of each attribute."""

import numpy as np

from femtotango.gui.device_link.jobs import Job, JobQueue
from femtotango.gui.device_link.readings import NO_READING, Reading, Readings


def test_the_newest_reading_stays_whatever_the_order_of_arrival() -> None:
    readings = Readings()
    assert readings.put("A", Reading(2, 20.0))
    assert not readings.put("A", Reading(1, 10.0))
    assert readings.get("A") == Reading(2, 20.0)
    assert readings.get("B") is NO_READING


def test_the_same_value_again_is_no_change() -> None:
    readings = Readings()
    readings.put("A", Reading(np.array([1.0, np.nan]), 1.0))
    readings.put("B", Reading(float("nan"), 1.0))
    readings.put("C", Reading(None, 1.0))
    assert readings.take_changed() == {"A", "B", "C"}
    readings.put("A", Reading(np.array([1.0, np.nan]), 2.0))
    readings.put("B", Reading(float("nan"), 2.0))
    readings.put("C", Reading(None, 2.0))
    assert readings.take_changed() == frozenset()
    readings.put("A", Reading(np.array([1.0, 2.0]), 3.0))
    readings.put("C", Reading(0, 3.0))
    assert readings.take_changed() == {"A", "C"}


def test_a_touched_name_is_shown_again() -> None:
    readings = Readings()
    readings.touch(["A"])
    assert readings.take_changed() == {"A"}


def test_an_answer_to_a_read_is_newer_than_what_was_stored_before_it() -> None:
    readings = Readings()
    readings.put("A", Reading("before the clock was set back", 1000.0))
    known = readings.get("A")
    assert readings.put("A", Reading("after", 10.0), read_after=known)
    assert readings.get("A").value == "after"
    known = readings.get("A")
    assert readings.put("A", Reading("other value of the same snapshot", 10.0), read_after=known)


def test_an_event_that_came_during_the_read_stays() -> None:
    readings = Readings()
    readings.put("A", Reading("old", 10.0))
    known = readings.get("A")
    readings.put("A", Reading("event", 20.0))
    assert not readings.put("A", Reading("answer", 15.0), read_after=known)
    assert not readings.put("A", Reading("answer", 20.0), read_after=known)
    assert readings.get("A").value == "event"
    assert readings.put("A", Reading("answer", 25.0), read_after=known)


def test_long_arrays_are_compared_too() -> None:
    readings = Readings()
    long = np.arange(1_000_000.0)
    assert readings.put("A", Reading(long, 1.0))
    assert not readings.put("A", Reading(long.copy(), 2.0))
    assert readings.put("A", Reading(-long, 3.0))


def test_only_the_newest_job_of_a_key_waits() -> None:
    jobs = JobQueue()
    first, other, second = (Job(key, lambda _: None) for key in "aba")
    assert jobs.put(first) is None
    jobs.put(other)
    assert jobs.put(second) is first
    assert jobs.get(0) is second
    assert jobs.get(0) is other
    assert jobs.get(0) is None


def test_a_closed_queue_hands_out_nothing_and_does_not_wait() -> None:
    jobs = JobQueue()
    jobs.put(Job("a", lambda _: None))
    jobs.close()
    assert jobs.closed
    assert jobs.get(60.0) is None
