"""A camera's own dark level and mask, from the worker's frame to what the reducer knows."""

import json
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from pipeline.model.correction_files import CorrectionFile, digest_of, format_files
from pipeline.model.parameters import Settings
from pipeline.photons.calibration import Calibration
from pipeline.photons.calibration_file import write_calibration
from pipeline.photons.corrections import CorrectionLoader, dark_digest
from pipeline.protocols.batch import Batch, EventResult, SparseImage
from pipeline.protocols.stins import stins_image
from pipeline.reducer.growing_sum import Sum
from pipeline.reducer.state import ReducerState
from pipeline.worker.event import EventWork
from pipeline.worker.frame_buffers import FrameBuffers
from pipeline.worker.frame_plan import FramePlans

SHAPE = (20, 30)
ZYLA = "andor3_zyla10"
MASKED = np.zeros(SHAPE, bool)
MASKED[3:5, 7] = True
OFFSET = (90 + np.arange(SHAPE[0] * SHAPE[1]).reshape(SHAPE) % 7 + 0.25).astype(np.float32)
FRAME = np.random.default_rng(1).integers(80, 200, SHAPE).astype(np.uint16)
ROI = {"x": 0, "y": 0, "width": 30, "height": 20}
SUMMING = Settings(accumulate=True, rois=json.dumps({"all": ROI}))


@pytest.fixture
def mask(tmp_path: Path) -> CorrectionFile:
    path = tmp_path / "mask.h5"
    with h5py.File(path, "w") as file:
        file["entry/image"] = np.ones(SHAPE)
        file["entry/pixel_mask"] = MASKED.astype(np.uint32)
    return CorrectionFile(str(path), digest_of(MASKED))


@pytest.fixture
def dark(tmp_path: Path) -> CorrectionFile:
    noise = np.full(SHAPE, 2, np.float32)
    noise[10, 10] = 30
    calibration = Calibration(OFFSET, noise, np.zeros(SHAPE, bool), 50)
    write_calibration(tmp_path / "dark.h5", calibration)
    return CorrectionFile(str(tmp_path / "dark.h5"), dark_digest(calibration))


def of(stream: str, file: CorrectionFile) -> str:
    return format_files({stream: file})


class Bench:
    """A worker's work and a reducer's state without processes."""

    def __init__(self) -> None:
        self.loader = CorrectionLoader()
        self.plans = FramePlans(self.loader)
        self.buffers = FrameBuffers()
        self.state = ReducerState()
        self.state.announce("scan")
        self.count = 0

    def take(self, settings: Settings, *images: np.ndarray, stream: str = ZYLA) -> EventResult:
        result = EventResult()
        for image in images:
            self.count += 1
            work = EventWork(self.count, "scan", settings, self.buffers, False, plans=self.plans)
            parts = stins_image(self.count, self.count, image)
            result = work.process({stream: SimpleNamespace(frames=parts)})
            assert result.failed == ()
            self.state.add_batch(Batch("boot", self.count, "scan", "w1", self.count, result))
        return result

    def total(self, stream: str = ZYLA) -> Sum:
        total = self.state.accumulation.shown(stream)
        assert total is not None
        return total


@pytest.fixture
def bench() -> Bench:
    return Bench()


def expected(level: np.ndarray, threshold: float = 12.0) -> np.ndarray:
    above = FRAME.astype(float) - level
    return np.where((above > threshold) & ~MASKED, above, 0)


def test_dark_and_mask_are_in_the_sum(
    bench: Bench, dark: CorrectionFile, mask: CorrectionFile
) -> None:
    settings = SUMMING.replaced("dark", of(ZYLA, dark)).replaced("mask", of(ZYLA, mask))
    result = bench.take(settings, FRAME, FRAME)
    total = bench.total()
    np.testing.assert_array_equal(total.image, 2 * expected(OFFSET))
    np.testing.assert_array_equal(total.valid, ~MASKED)
    assert total.frames_seen is None
    (frame,) = result.frames
    assert frame.roi_means[0] == pytest.approx(expected(OFFSET)[~MASKED].mean(), rel=1e-6)
    assert frame.roi_statistics is not None
    assert frame.roi_statistics[0, 7] == np.count_nonzero(~MASKED)


def test_a_mask_alone_keeps_sums_of_integers(bench: Bench, mask: CorrectionFile) -> None:
    bench.take(SUMMING.replaced("mask", of(ZYLA, mask)), FRAME)
    total = bench.total()
    assert total.image.dtype == np.int64
    np.testing.assert_array_equal(total.image, expected(np.full(SHAPE, 100.0)))


@pytest.mark.parametrize("accumulate", [True, False])
def test_noisy_pixels_are_masked_on_request(
    bench: Bench, dark: CorrectionFile, accumulate: bool
) -> None:
    settings = Settings(accumulate=accumulate, dark=of(ZYLA, dark), mask_noise=5.0)
    bench.take(settings, FRAME)
    noisy = np.zeros(SHAPE, bool)
    noisy[10, 10] = True
    np.testing.assert_array_equal(bench.total().valid, ~noisy)


def test_a_counting_camera_has_its_own_mask_and_ours(bench: Bench, mask: CorrectionFile) -> None:
    image = FRAME.astype(np.float32)
    image[0, 0] = -1
    bench.take(SUMMING.replaced("mask", of("pilatus", mask)), image, stream="pilatus")
    valid = ~MASKED
    valid[0, 0] = False
    np.testing.assert_array_equal(bench.total("pilatus").valid, valid)


def test_pixels_that_are_masked_in_some_frames_are_counted(
    bench: Bench, mask: CorrectionFile
) -> None:
    image = FRAME.astype(np.float32)
    flickering = image.copy()
    flickering[5, 5] = -1
    bench.take(SUMMING, image, flickering, image, stream="pilatus")
    seen = np.full(SHAPE, 3)
    seen[5, 5] = 2
    np.testing.assert_array_equal(bench.total("pilatus").frames_seen, seen)
    assert bench.total("pilatus").valid is not None
    assert bench.total("pilatus").valid.all()

    # A mask that is loaded in the middle of a sum.
    bench.take(SUMMING, FRAME, FRAME)
    bench.take(SUMMING.replaced("mask", of(ZYLA, mask)), FRAME)
    np.testing.assert_array_equal(bench.total().frames_seen, np.where(MASKED, 2, 3))
    assert bench.total().valid is None


@pytest.mark.parametrize("spoil", ["away", "changed", "shape"])
def test_a_file_that_cannot_be_used_costs_no_frame_and_is_told(
    bench: Bench, mask: CorrectionFile, tmp_path: Path, spoil: str
) -> None:
    image = FRAME
    if spoil == "away":
        mask = CorrectionFile(str(tmp_path / "none.h5"), mask.digest)
    elif spoil == "changed":
        mask = CorrectionFile(mask.path, "0" * 16)
    else:
        image = FRAME[:10]
    result = bench.take(SUMMING.replaced("mask", of(ZYLA, mask)), image)
    assert "no mask is used" in result.problems[0]
    assert bench.total().valid is None
    assert "no mask is used" in bench.state.health.last_error
    assert bench.state.health.failed_frames == 0
    # Not with every frame.
    assert bench.take(SUMMING.replaced("mask", of(ZYLA, mask)), image).problems == ()
    (kept,) = bench.total().masks.frames
    assert kept == ""


def test_photons_are_found_above_the_dark_and_not_beside_masked_pixels(
    bench: Bench, tmp_path: Path
) -> None:
    balor = "andor3_balor"
    level = OFFSET.astype(np.float64)
    image = np.round(level).astype(np.uint16)
    for y, x in ((4, 6), (10, 20)):
        image[y, x] += 600
        image[y, x + 1] += 400
        image[y + 1, x] += 200
    calibration = Calibration(OFFSET, np.ones(SHAPE, np.float32), np.zeros(SHAPE, bool), 50)
    write_calibration(tmp_path / "b.h5", calibration)
    masked = tmp_path / "m.npy"
    np.save(masked, MASKED.astype(np.uint8))
    whole = json.dumps(ROI)
    settings = Settings(accumulate=True, photon_roi=whole, rois=json.dumps({"all": ROI}))
    settings = settings.replaced("dark", of(balor, CorrectionFile(str(tmp_path / "b.h5"))))
    found = bench.take(settings, image, stream=balor).frames[0].photons
    assert found is not None
    assert len(found.photons) == 2
    weights = np.array([[600.0, 400.0, 200.0]])
    assert found.photons.energy == pytest.approx(weights.sum(), abs=5)
    assert found.photons.x == pytest.approx([6 + 1 / 3, 20 + 1 / 3], abs=0.02)

    settings = settings.replaced("mask", of(balor, CorrectionFile(str(masked))))
    result = bench.take(settings, image, stream=balor)
    found = result.frames[0].photons
    assert found is not None
    # The one at (4, 6) has masked pixels among its nine.
    assert found.photons.x == pytest.approx([20 + 1 / 3], abs=0.02)
    assert json.loads(found.settings)["mask"]
    (partial,) = result.partials
    assert isinstance(partial.image, SparseImage)
    assert bench.total(balor).valid is None
    np.testing.assert_array_equal(bench.total(balor).frames_seen, np.where(MASKED, 1, 2))


def test_a_raw_frame_travels_while_a_dark_level_is_taken(bench: Bench) -> None:
    asked = SUMMING.replaced("dark_request", f"17 {ZYLA} 5")
    (camera,) = bench.take(asked, FRAME).cameras
    assert camera.dark is not None
    assert camera.dark.request == "17"
    np.testing.assert_array_equal(camera.dark.image, FRAME)
    (other,) = bench.take(asked, FRAME, stream="andor3_zyla12").cameras
    assert other.dark is None


def test_a_mask_that_the_reducer_cannot_read_is_told_and_costs_no_frame(
    bench: Bench, mask: CorrectionFile
) -> None:
    settings = SUMMING.replaced("mask", of(ZYLA, mask))
    corrections = settings.corrections(ZYLA)
    bench.loader.levels(ZYLA, SHAPE, corrections, 100.0)
    Path(mask.path).unlink()
    assert bench.take(settings, FRAME, FRAME).problems == ()
    assert bench.total().count == 2
    assert bench.total().valid is None
    assert "shown as 0" in bench.state.health.last_error
