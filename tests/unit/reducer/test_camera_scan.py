"""One camera's part of a scan."""

import numpy as np

from pipeline.model.frame_ranges import FrameRanges
from pipeline.protocols.batch import CameraResult, DiscardedFrame, FrameResult, StartInfo
from pipeline.reducer.camera_scan import CameraScan
from pipeline.reducer.scan_axis import ScanAxis

STREAM = "pilatus"


def frame(number: int) -> CameraResult:
    means = np.array([float(number)])
    return CameraResult(STREAM, frame=FrameResult(STREAM, number, ("a",), means, False, 0))


def camera() -> CameraScan:
    return CameraScan(STREAM, ScanAxis())


def test_frames_are_counted_with_those_that_failed_or_were_discarded() -> None:
    one = camera()
    one.add(1, frame(0), None)
    one.add(2, CameraResult(STREAM, failed=True), None)
    one.add(3, CameraResult(STREAM, discarded=DiscardedFrame(STREAM, 2)), None)
    assert (one.frames, one.processed) == (1, 3)
    assert one.newest("a", "mean") == 0.0
    assert np.isnan(one.newest("b", "mean"))


def test_the_end_is_known_at_once_and_reached_in_its_turn() -> None:
    one = camera()
    one.arrive(CameraResult(STREAM, start=StartInfo(STREAM, "/a.h5")), "w1")
    end = CameraResult(STREAM, series_end=True)
    one.arrive(end, "w2")
    assert one.start is not None and one.start.filename == "/a.h5"
    assert (one.series_ended, one.ended, one.ended_workers) == (True, False, {"w2"})
    one.add(9, end, None)
    assert one.ended


def test_a_frame_that_goes_to_all_workers_is_known() -> None:
    one = camera()
    assert not one.is_repeated(1, frame(0))
    one.add(1, frame(0), None)
    assert one.is_repeated(1, frame(0))
    assert not one.is_repeated(1, CameraResult(STREAM, series_end=True))


def test_frames_that_a_restart_took_are_named_by_the_numbers_that_are_missing() -> None:
    one = camera()
    one.add(1, frame(0), None)
    # Of events 2 to 6 only three brought frames of this camera.
    one.add(7, frame(4), FrameRanges([(2, 6)]))
    assert one.lost.as_tuple() == ((1, 3),)
    assert (one.frames, one.processed) == (2, 5)
    one.add(3, frame(2), FrameRanges([(2, 2), (4, 6)]))
    assert one.lost.as_tuple() == ((1, 1), (3, 3))
    assert (one.frames, one.processed) == (3, 5)
