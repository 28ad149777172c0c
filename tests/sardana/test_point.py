"""The waiting of a channel, on a device of numbers: what the real one shows moment by moment."""

import math
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tango

from femtotango.sardana.point import Point
from pipeline.model.roi_statistics import STATISTICS


def totals(sums: tuple[float, ...], frames: tuple[int, ...]) -> dict[str, Any]:
    """Return what the device shows; a ROI's sum is ten times its mean, y was never seen."""
    scale = np.array([{"sum": 10.0, "y": 0.0}.get(name, 1.0) for name in STATISTICS])
    seen = np.array([name != "y" for name in STATISTICS])
    return {"RoiTotals": np.outer(sums, scale), "RoiWeights": np.outer(frames, seen)}


@dataclass
class Numbers:
    """Answers like a DeviceProxy."""

    values: dict[str, Any] = field(
        default_factory=lambda: {
            "ScanNumber": 1,
            "ScanFinished": False,
            "ScanFrames": 0,
            "FramesPerPoint": 2,
            "RoiNames": ("a", "b"),
            **totals((0.0, 0.0), (0, 0)),
            "RoiSlots": ("b", "", "a"),
            "Roi1Mean": 7.0,
            "FrameCount": 3,
        }
    )
    away: bool = False
    waiting: int = 0
    """Frames that came too early for their event."""

    def read_attributes(self, names: list[str]) -> list[Any]:
        if self.away:
            tango.Except.throw_exception("API_CantConnect", "away", "test")
        # In most scans all frames come in order.
        self.values["FramesReceived"] = 100 + self.values["ScanFrames"] + self.waiting
        self.values.setdefault("Cameras", ("pilatus",))
        if len(self.values["Cameras"]) == 1:
            self.values["CameraFrames"] = (self.values["ScanFrames"],)
        return [SimpleNamespace(name=n, value=self.values[n], has_failed=False) for n in names]

    def show(self, **values: Any) -> None:
        self.values.update(values)


@pytest.fixture
def device() -> Numbers:
    return Numbers()


@pytest.fixture
def point(device: Numbers) -> Point:
    return Point(device, timeout=10)


def test_waits_for_all_frames_and_averages_only_those(device, point):
    point.begin(0, 1)
    device.show(ScanFrames=2, **totals((100.0, 40.0), (2, 2)))
    assert not point.waits(0)
    assert point.begin(0, 1)
    assert point.waits(0.1)
    device.show(ScanFrames=3, **totals((101.0, 41.0), (3, 3)))
    assert point.waits(0.2)
    device.show(ScanFrames=4, **totals((104.0, 44.0), (4, 4)))
    assert not point.waits(0.3)
    assert point.value("Roi3Mean") == 2.0
    assert point.value("Roi1Mean") == 2.0
    assert point.value("Roi1Sum") == 20.0
    assert point.value("Roi3X") == 2.0
    assert math.isnan(point.value("Roi3Y"))
    assert point.problem == ""


def test_free_slot_and_frames_without_a_mean_give_nan(device, point):
    point.begin(0, 0)
    device.show(ScanFrames=2, **totals((0.0, 6.0), (0, 2)))
    assert not point.waits(0)
    assert math.isnan(point.value("Roi2Mean"))
    assert math.isnan(point.value("Roi3Mean"))
    assert point.value("roi1mean") == 3.0


def test_roi_that_is_new_in_this_point_has_its_own_frames_only(device, point):
    point.begin(0, 0)
    device.show(
        ScanFrames=2,
        RoiNames=("a", "b", "c"),
        **totals((1.0, 1.0, 5.0), (2, 2, 1)),
        RoiSlots=("b", "c", "a"),
    )
    assert not point.waits(0)
    assert point.value("Roi2Mean") == 5.0


def test_does_not_wait_when_nothing_runs(device, point):
    device.show(ScanFinished=True)
    assert not point.begin(0, 0)
    assert math.isnan(point.value("Roi1Mean"))
    assert point.value("FrameCount") == 3.0


def test_missing_frame_ends_the_point_after_the_timeout(device, point):
    point.begin(0, 5)
    device.show(ScanFrames=1, **totals((3.0, 3.0), (1, 1)))
    assert point.waits(14)
    assert point.waits(28)
    assert not point.waits(29.1)
    assert "1 of 2 frames missing" in point.problem
    assert point.value("Roi1Mean") == 3.0


def test_stopped_scan_ends_the_point(device, point):
    point.begin(0, 0)
    device.show(ScanFinished=True)
    assert not point.waits(0.1)
    assert math.isnan(point.value("Roi1Mean"))


def test_next_scan_ends_the_point(device, point):
    point.begin(0, 0)
    device.show(ScanNumber=2)
    assert not point.waits(0.1)
    assert "another scan" in point.problem


def test_device_that_is_away_ends_the_point_in_time(device, point):
    point.begin(0, 0)
    device.away = True
    assert point.waits(9)
    assert not point.reachable
    assert not point.waits(11)
    assert "does not answer" in point.problem


def test_device_that_is_away_at_the_start_is_not_waited_for(device, point):
    device.away = True
    assert not point.begin(0, 0)
    assert not point.reachable


def test_continuous_mode_waits_for_one_frame(device, point):
    device.show(FramesPerPoint=0)
    assert point.begin(0, 0)
    device.show(ScanFrames=1, **totals((2.0, 3.0), (1, 1)))
    assert not point.waits(0)
    assert point.value("Roi1Mean") == 3.0


def test_more_frames_than_requested_give_no_value(device, point):
    point.begin(0, 0)
    device.show(ScanFrames=2, **totals((9.0, 9.0), (2, 2)))
    device.waiting = 1
    assert not point.waits(0)
    assert "more than 2 frames" in point.problem
    assert math.isnan(point.value("Roi1Mean"))
    assert not point.begin(1, 0)
    assert math.isnan(point.value("Roi1Mean"))
    device.waiting = 0
    device.show(ScanNumber=2, ScanFrames=0)
    assert point.begin(2, 0)
    device.show(ScanFrames=2)
    assert not point.waits(2)
    assert point.problem == ""


def test_extra_frames_that_come_between_two_points_are_noticed(device, point):
    point.begin(0, 0)
    device.show(ScanFrames=2)
    assert not point.waits(0)
    device.show(ScanFrames=4)
    assert not point.begin(1, 0)
    assert "more than 2 frames" in point.problem


def test_points_that_nobody_saw_are_no_extra_frames(device, point):
    device.away = True
    point.begin(0, 0)
    device.away = False
    device.show(ScanFrames=2)
    assert point.begin(1, 0)
    device.show(ScanFrames=4, **totals((6.0, 6.0), (2, 2)))
    assert not point.waits(1)
    assert point.problem == ""


def test_scan_that_is_lost_is_waited_for_twice_only(device, point):
    point.begin(0, 0)
    device.show(ScanFrames=2)
    assert not point.waits(0)
    assert point.begin(10, 0)
    assert point.waits(19.9)
    assert not point.waits(20)
    assert point.begin(20, 0)
    assert not point.waits(22)
    assert not point.begin(22, 0)
    assert "not waiting" in point.problem
    assert math.isnan(point.value("Roi1Mean"))
    device.show(ScanFrames=3)
    assert point.begin(23, 0)
    assert point.waits(24)


def test_a_point_of_two_cameras_waits_for_the_frames_of_each(device, point):
    device.show(Cameras=("pilatus", "andor3_zyla12"), CameraFrames=(0, 0))
    assert point.begin(0, 0)
    device.show(ScanFrames=2, CameraFrames=(2, 0))
    assert point.waits(0)
    assert point.problem == "2 of 4 frames missing"
    device.show(ScanFrames=4, CameraFrames=(2, 2))
    assert not point.waits(0)
    assert point.problem == ""


def test_frames_of_one_camera_do_not_stand_for_those_of_another(device, point):
    device.show(Cameras=("pilatus", "andor3_zyla12"), CameraFrames=(0, 0))
    point.begin(0, 0)
    device.show(ScanFrames=4, CameraFrames=(3, 1))
    point.waits(0)
    assert "more than 4 frames" in point.problem
    assert math.isnan(point.value("Roi1Mean"))


def test_a_camera_that_died_is_waited_for_twice_only(device, point):
    device.show(Cameras=("pilatus", "andor3_zyla12"), CameraFrames=(0, 0))
    frames = 0
    for number, limit in enumerate((10, 2)):
        now = 100.0 * number
        assert point.begin(now, 0)
        frames += 2
        device.show(ScanFrames=frames, CameraFrames=(frames, 0))
        assert point.waits(now + 0.1)
        assert point.waits(now + limit - 0.1)
        assert not point.waits(now + limit + 0.2)
    assert point.begin(300.0, 0)
    assert point.waits(300.1)
    device.show(ScanFrames=6, CameraFrames=(6, 0))
    assert not point.waits(300.2)
    assert point.problem == "2 of 4 frames missing"
    device.show(ScanFrames=7, CameraFrames=(6, 1))
    point.begin(400.0, 0)
    device.show(ScanFrames=9, CameraFrames=(8, 1))
    assert point.waits(400.1)
