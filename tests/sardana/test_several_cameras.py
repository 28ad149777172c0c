"""Pilatus and Zyla in the scans of a real Sardana server, each with its exact sum and curve."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from support.beamline import BURST, Beamline, running_beamline
from support.waiting import wait_for

from pipeline.model.parameters import Settings
from pipeline.simulation.scan import detector_frames

pytestmark = pytest.mark.slow

PILATUS, ZYLA = "pilatus", "andor3_zyla12"
CAMERAS = (PILATUS, ZYLA)


class Truth:
    """Adds up in NumPy what the simulated cameras send."""

    def __init__(self) -> None:
        self._position = 1.0
        self._frames = {c: detector_frames(c, 0, self._positions()) for c in CAMERAS}
        self.sums: dict[str, NDArray[np.float64]] = {}
        self.counts = 0

    def _positions(self) -> Iterator[float]:
        while True:
            yield self._position

    def scan(self, points: int, burst: int) -> None:
        """Take the frames of one scan."""
        for point in range(points):
            self._position = 1.0 + point / max(1, points - 1)
            for _ in range(burst):
                self.counts += 1
                for camera, frames in self._frames.items():
                    seen = _processed(camera, next(frames).astype(np.float64))
                    self.sums[camera] = self.sums.get(camera, 0.0) + seen


def _processed(camera: str, image: NDArray[np.float64]) -> NDArray[np.float64]:
    if camera == PILATUS:
        return np.where(image < 0, np.nan, image)
    above = image - Settings().background
    return np.where(above > Settings().cmos_threshold, above, 0.0)


@pytest.fixture(scope="module")
def two_cameras(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Beamline]:
    """Run a beamline with these two; the measurement group of all has both."""
    with running_beamline(tmp_path_factory.mktemp("two"), CAMERAS) as beamline:
        door = beamline.door
        door.run("senv ActiveMntGrp femtomax_all")
        door.run("femto_accum on")
        door.run("femto_roi add ring 300 400 300 200 pilatus")
        door.run("femto_roi add peak 1150 850 100 100 zyla12")
        yield beamline


@pytest.fixture(scope="module")
def truth() -> Truth:
    """Follow the cameras through all tests of this file, in their order."""
    return Truth()


def check(beamline: Beamline, truth: Truth, points: int) -> None:
    beamline.door.run("femto_wait 0 60")
    for camera in CAMERAS:
        assert beamline.read(f"FrameCount_{camera}") == truth.counts
        image = beamline.read(f"AccumulatedImage_{camera}")
        np.testing.assert_array_equal(image, truth.sums[camera].astype(np.float32))
    for channel, roi in (("roi1", "ring"), ("roi2", "peak")):
        values = beamline.recorded(channel)
        assert values.shape == (points,)
        assert np.all(np.isfinite(values))
        np.testing.assert_allclose(values, beamline.curve(roi), rtol=1e-9)


def test_burstscan_of_two_cameras(two_cameras: Beamline, truth: Truth):
    door = two_cameras.door
    output = door.run("burstscan dummy_mot_01 0.0 0.1 2 5")
    understood = [line for line in output.splitlines() if line.startswith("Live analysis")]
    assert understood == [
        "Live analysis of burstscan: pilatus, andor3_zyla12, "
        "3 points x 5 frames (integ_time -5), with records."
    ]
    assert door.text("Warning") == ""
    truth.scan(3, 5)
    check(two_cameras, truth, 3)
    assert two_cameras.read("XAxis").tolist() == pytest.approx([0.0, 0.05, 0.1])
    assert two_cameras.read("Cameras") == CAMERAS


def test_mesh_of_two_cameras(two_cameras: Beamline, truth: Truth):
    door = two_cameras.door
    door.run("mesh dummy_mot_01 0 1 1 dummy_mot_02 0 1 2 0.02")
    assert door.text("Warning") == ""
    truth.scan(6, BURST)
    check(two_cameras, truth, 6)


def test_the_beamline_s_own_hook_of_two_cameras(two_cameras: Beamline, truth: Truth):
    door = two_cameras.door
    hook = f"beamline_prepare {two_cameras.info['controller']} {','.join(CAMERAS)}"
    number = two_cameras.read("ScanNumber")
    door.run("udefgh femto_prepare")
    door.run(f'defgh "{hook}" pre-scan')
    try:
        output = door.run("burstscan dummy_mot_01 0.0 0.2 2 3")
        warnings = door.text("Warning")
    finally:
        door.run("udefgh all")
        door.run("defgh femto_prepare pre-scan pre-acq")
    assert "Live analysis" not in output
    assert "not prepared" not in warnings
    truth.scan(3, 3)
    wait_for(
        lambda: two_cameras.read("ScanNumber") > number and two_cameras.read("ScanFinished"),
        two_cameras.device.status,
    )
    for camera in CAMERAS:
        wait_for(lambda camera=camera: two_cameras.read(f"FrameCount_{camera}") == truth.counts)
        image = two_cameras.read(f"AccumulatedImage_{camera}")
        np.testing.assert_array_equal(image, truth.sums[camera].astype(np.float32))
    assert two_cameras.read("XAxis").tolist() == pytest.approx([0.0, 0.1, 0.2])
    for roi in ("ring", "peak"):
        assert np.all(np.isfinite(two_cameras.curve(roi)))


def test_continuous_mode_of_two_cameras(two_cameras: Beamline):
    door = two_cameras.door
    assert "pilatus, andor3_zyla12" in door.run("femto_continuous on pilatus zyla12")
    assert "off" in door.run("femto_continuous off")
