"""What becomes of an unfinished scan when the next one is asked for."""

import math
import threading
from dataclasses import replace

import pytest

from femtotango.component import scan_before
from femtotango.component.kept import KeptScan
from femtotango.component.newest_scan import STOPPED, NewestScan
from femtotango.component.results_poller import Observation
from femtotango.component.scan_before import ScanBefore
from femtotango.component.scan_progress import Scan
from femtotango.dranspose_client.services import Progress
from femtotango.errors import Interrupted, ScanRunning
from pipeline.protocols import snapshot
from pipeline.protocols.snapshot import NOTHING

SCAN = Scan(
    number=3,
    mapping="m",
    frames=12,
    cameras=("pilatus",),
    progress=Progress(8, 7, 17, False),
    done=False,
)


def results(frames: int, ended: bool = False) -> Observation:
    camera = snapshot.ScanCamera(scan_processed=frames, scan_ended=int(ended))
    return Observation(
        snapshot=replace(
            NOTHING,
            scan=snapshot.Scan(mapping="m", processed=frames),
            cameras={"pilatus": camera},
            health=snapshot.Health(settled=1),
        ),
        error=None,
    )


class Room:
    """The newest scan, and who waits for it."""

    def __init__(self, scan: Scan = SCAN) -> None:
        self.newest = NewestScan(KeptScan(scan))
        self.closing = threading.Event()
        self.before = ScanBefore(self.newest, self.give_up, self.closing)
        self.newest.follow_results(results(7))

    def give_up(self, how: str) -> None:
        scan = self.newest.begin_to_stop()
        self.newest.give_up(scan, results(7), how, "never came.")


@pytest.fixture
def room(monkeypatch) -> Room:
    monkeypatch.setattr(scan_before, "_FINISH", 0.3)
    monkeypatch.setattr(scan_before, "_SILENT", 0.2)
    monkeypatch.setattr(scan_before, "_ENDED", 0.1)
    return Room()


def ask(room: Room) -> None:
    room.before.wait_until_done(math.inf)


def test_one_that_is_silent_is_refused_for_once_and_then_given_up(room):
    with pytest.raises(ScanRunning, match=r"Scan 3 is not finished \(7 of 17 events\).*StopScan"):
        ask(room)
    assert not room.newest.scan.done
    ask(room)
    assert room.newest.scan.done
    assert room.newest.given_up == 5
    assert "given up for the next one, because nothing of it had come" in room.newest.last_error
    assert "5 of 12 frames never came" in room.newest.last_error


def test_one_that_goes_on_is_never_given_up(room):
    for frames in (8, 9, 10):
        with pytest.raises(ScanRunning):
            ask(room)
        room.newest.follow_results(results(frames))
    assert not room.newest.scan.done


def test_one_that_has_ended_in_vain_is_given_up_at_once(room):
    room.newest.follow_results(results(7, ended=True))
    ask(room)
    assert room.newest.scan.done
    assert "because it had ended without being complete" in room.newest.last_error


def test_what_came_is_named_where_no_frame_is_missing(room):
    scan = room.newest.begin_to_stop()
    room.newest.give_up(scan, results(12), "given up for the next one", "never came.")
    assert room.newest.given_up == 0
    assert room.newest.last_error == (
        "Scan 3 was given up for the next one; no frame is missing, but records or the end of a "
        "series."
    )


def test_what_is_outstanding_follows_what_a_new_reducer_tells(room):
    scan = room.newest.begin_to_stop()
    room.newest.give_up(scan, results(9), "given up for the next one", "never came.")
    room.newest.follow_results(replace(results(7), error="the reducer does not answer"))
    assert room.newest.given_up == 3
    for frames, outstanding in ((7, 5), (7, 5), (8, 4)):
        room.newest.follow_results(results(frames))
        assert room.newest.given_up == outstanding
    assert room.newest.last_error == (
        "Scan 3 was given up for the next one; 4 of 12 frames never came."
    )


def test_the_next_scan_begins_without_the_faults_of_the_one_before(room):
    room.newest.follow_results(results(7, ended=True))
    ask(room)
    room.newest.take_up(replace(SCAN, mapping="n"))
    assert not room.newest.in_vain
    with pytest.raises(ScanRunning, match="Scan 4"):
        ask(room)


def test_continuous_mode_is_never_given_up(room):
    room.newest.take_up(replace(SCAN, continuous=True))
    with pytest.raises(ScanRunning, match="StopContinuous"):
        ask(room)


def test_one_that_is_being_stopped_is_waited_for(room):
    room.newest.follow_results(results(7, ended=True))
    scan = room.newest.begin_to_stop()
    done = threading.Timer(0.05, room.newest.give_up, (scan, results(7), STOPPED, "never came."))
    done.start()
    ask(room)
    done.join()
    assert room.newest.last_error == "Scan 3 was stopped; 5 of 12 frames never came."


def test_a_device_that_ends_keeps_nobody_waiting(room):
    room.closing.set()
    with pytest.raises(Interrupted):
        ask(room)
