"""One scan's batches: late ones, lost ones."""

import numpy as np

from pipeline.model.parameters import Settings
from pipeline.protocols.batch import Batch, CameraResult, EventResult, FrameResult
from pipeline.reducer.scan import ScanState

SETTINGS = Settings()
DESCRIPTION = {"title": "ascan", "ref_moveables": ["m"], "serialno": 7}


def batch(event: int, worker: str = "w1", **result) -> Batch:
    return Batch("boot", event, "m", worker, event, EventResult(**result))


def frame(event: int, worker: str = "w1", **result) -> Batch:
    taken = FrameResult("pilatus", event - 1, ("a",), np.array([float(event)]), False, 0)
    return batch(event, worker, cameras=(CameraResult("pilatus", frame=taken),), **result)


def add(scan: ScanState, *batches: Batch) -> None:
    for each in batches:
        scan.add_batch(each, SETTINGS)


def watch(scan: ScanState, now: float) -> str:
    """Look, and give up what is not to be waited for; return what is said of it."""
    until = scan.watch(now)
    return "" if until is None else scan.give_up(until, SETTINGS)


def test_a_late_first_event_leaves_the_motor_positions():
    scan = ScanState("m", 1)
    add(scan, batch(0, description=DESCRIPTION))
    add(scan, *(frame(event, record={"m": event * 0.5}) for event in (1, 2, 3)))
    add(scan, batch(0, "w2", description=DESCRIPTION))
    add(scan, frame(4, record={"m": 2.0}))
    assert list(scan.axis.positions["m"]) == [0.5, 1.0, 1.5, 2.0]
    assert scan.axis.means.x().tolist() == [0.5, 1.0, 1.5, 2.0]


def test_ten_lost_events_cost_ten_seconds_together():
    scan = ScanState("m", 1)
    lost = range(5, 105, 10)
    add(scan, batch(0), *(frame(event) for event in range(1, 110) if event not in lost))
    watch(scan, 100.0)
    assert watch(scan, 109.9) == ""
    assert scan.processed == 4
    text = watch(scan, 110.1)
    assert scan.processed == 99
    assert "events 5, 15, 25, 35, 45, 55, 65, 75, 85, 95 did not come" in text
    assert watch(scan, 130.0) == ""


def test_each_result_waits_no_longer_than_ten_seconds():
    scan = ScanState("m", 1)
    add(scan, batch(0), frame(2))
    watch(scan, 100.0)
    add(scan, frame(4), frame(5))
    watch(scan, 106.0)
    assert "events 1 did not come" in watch(scan, 110.5)
    assert scan.processed == 1
    add(scan, frame(6))
    assert watch(scan, 115.9) == ""
    assert "events 3 did not come" in watch(scan, 116.5)
    assert scan.processed == 4


def test_an_event_that_comes_in_time_is_not_given_up():
    scan = ScanState("m", 1)
    add(scan, batch(0), frame(2))
    watch(scan, 100.0)
    add(scan, frame(1), frame(3))
    assert watch(scan, 120.0) == ""
    add(scan, frame(5))
    assert watch(scan, 125.0) == ""
    assert watch(scan, 134.0) == ""
    assert scan.processed == 3


def test_a_frame_in_the_place_of_the_end_is_told_by_the_worker_that_leaves_it(monkeypatch):
    scan = ScanState("m", 1)
    taken = FrameResult("andor3_balor", 3, (), np.empty(0), False, 0)
    add(scan, batch(5, cameras=(CameraResult("andor3_balor", left=3),)))
    assert scan.processed == 0, "the other one counts it"
    add(scan, batch(5, "w2", cameras=(CameraResult("andor3_balor", frame=taken),)))
    add(scan, *(batch(event) for event in range(5)))
    assert scan.processed == 1
    beyond: list[int] = []
    monkeypatch.setattr(scan.photons, "go_beyond", beyond.append)
    add(scan, batch(5, "w3", cameras=(CameraResult("andor3_balor", left=3),)))
    assert beyond == [3], "the safety of frames rests on it"
