"""Worker and reducer together: statistics of ROIs per frame and step, minus, over."""

import json
from typing import Any

import numpy as np
import pytest
from support.dispatch import Dispatch, header, image, parameters, sardana, series_end

from pipeline.frames.peak_fit import fit_peak
from pipeline.model.roi_statistics import COLUMNS, STATISTICS
from pipeline.protocols.packing import unpack

ZYLA, PILATUS = "andor3_zyla10", "pilatus"
STEPS, BURST = 13, 8
FRAMES = STEPS * BURST
MOTOR = np.linspace(-0.6, 0.6, STEPS)
CENTRE, WIDTH = 0.1, 0.2
ROIS = {
    "peak": {"x": 10, "y": 8, "width": 60, "height": 50, "camera": ZYLA},
    "background": {"x": 80, "y": 60, "width": 12, "height": 10, "camera": ZYLA},
    "monitor": {"x": 0, "y": 0, "width": 20, "height": 20, "camera": PILATUS},
    "net": {
        "x": 10,
        "y": 8,
        "width": 60,
        "height": 50,
        "camera": ZYLA,
        "minus": "background",
        "over": "monitor",
    },
    "per_charge": {
        "x": 10,
        "y": 8,
        "width": 60,
        "height": 50,
        "camera": ZYLA,
        "over": "column:charge",
    },
}
CHARGE = 2.0 + np.arange(STEPS) % 3


def shots() -> tuple[list[np.ndarray], list[np.ndarray], np.ndarray]:
    """Return frames of the Zyla and of the monitor, and x of the spot in each."""
    rng = np.random.default_rng(71)
    y, x = np.indices((80, 100))
    motor = np.repeat(MOTOR, BURST)
    strength = np.maximum(rng.normal(1, 0.3, FRAMES), 0.1)
    place = 40.3 + 2 * motor
    zyla, monitor = [], []
    for at, light, position in zip(place, strength, motor, strict=True):
        height = 2000 * light * np.exp(-(((position - CENTRE) / WIDTH) ** 2) / 2)
        spot = height * np.exp(-((x - at) ** 2 + (y - 30.6) ** 2) / 2 / 2.5**2)
        raw = 130 + spot + rng.normal(0, 3, x.shape)
        zyla.append(np.clip(np.rint(raw), 0, 65535).astype(np.uint16))
        monitor.append(rng.poisson(50 * light, (20, 20)).astype(np.float32))
    return zyla, monitor, place


def run_scan(workers: int, **settings: Any) -> dict[str, Any]:
    zyla, monitor, _ = shots()
    run = Dispatch(workers, seed=workers)
    run.change(rois=json.dumps(ROIS), **settings)
    description = sardana("DataDescription", title="ascan", ref_moveables=["m"], serialno=1)
    run.to_all(**{ZYLA: header("/raw/z.h5"), PILATUS: header("/raw/p.h5"), "sardana": description})
    for number in range(FRAMES):
        streams = {ZYLA: image(number, zyla[number]), PILATUS: image(number, monitor[number])}
        if (number + 1) % BURST == 0:
            m, charge = float(MOTOR[number // BURST]), float(CHARGE[number // BURST])
            streams["sardana"] = sardana("RecordData", timestamp=0.0, m=m, charge=charge)
        run.to_one(**streams)
        run.deliver(at_most=run.random.randrange(4))
        if number % 10 == 0:
            # Clients look while it runs.
            assert run.published
    ends = {ZYLA: series_end(), PILATUS: series_end(), "sardana": sardana("RecordEnd")}
    run.to_all(**ends)
    run.deliver()
    return run.published


def read(tree: dict[str, Any], roi: str, statistic: str, part: str) -> np.ndarray:
    return np.asarray(tree["roi_stats"][roi][statistic][part])


@pytest.fixture(scope="module")
def tree() -> dict[str, Any]:
    return run_scan(2)


def test_places_and_sums_per_frame_and_step(tree) -> None:
    zyla, _, place = shots()
    x = read(tree, "peak", "x", "frames")
    strong = np.abs(np.repeat(MOTOR, BURST) - CENTRE) < 0.3
    np.testing.assert_allclose(x[strong], place[strong], atol=0.05)
    processed = [np.where(raw - 100.0 > 12, raw - 100.0, 0)[8:58, 10:70] for raw in zyla]
    sums = [part.sum() for part in processed]
    np.testing.assert_allclose(read(tree, "peak", "sum", "frames"), sums)
    largest = [part.max() for part in processed]
    np.testing.assert_allclose(read(tree, "peak", "max", "frames"), largest)
    steps = np.reshape(sums, (STEPS, BURST))
    np.testing.assert_allclose(read(tree, "peak", "sum", "y"), steps.mean(axis=1))
    errors = steps.std(axis=1, ddof=1) / np.sqrt(BURST)
    np.testing.assert_allclose(read(tree, "peak", "sum", "y_errors"), errors)
    np.testing.assert_array_equal(read(tree, "peak", "sum", "n"), BURST)
    np.testing.assert_array_equal(read(tree, "peak", "sum", "x"), MOTOR)
    assert set(tree["roi_stats"]["peak"]) >= set(STATISTICS)
    for part in ("y", "y_errors", "n"):
        plain = np.asarray(tree["step_means"]["peak"][part])
        np.testing.assert_allclose(read(tree, "peak", "mean", part), plain)
    newest = tree["roi_newest_statistics"]
    assert newest.shape == (len(ROIS), len(STATISTICS))
    np.testing.assert_allclose(newest[0, STATISTICS.index("sum")], sums[-1])


def test_minus_and_over_remove_background_and_fluctuation(tree) -> None:
    truth = np.exp(-(((MOTOR - CENTRE) / WIDTH) ** 2) / 2)

    def scatter(roi: str) -> float:
        y = read(tree, roi, "sum", "y")
        fit = fit_peak(MOTOR, y, read(tree, roi, "sum", "y_errors"))
        assert fit.valid
        assert abs(fit.values["centre"] - CENTRE) < 3 * fit.errors["centre"]
        scale = (y @ truth) / (truth @ truth)
        return float(np.sqrt(np.mean((y / scale - truth) ** 2)))

    # The mean over a burst has scattered by 30 % / sqrt(8) at the top.
    assert scatter("net") < 0.05 * 0.3
    np.testing.assert_array_equal(read(tree, "net", "sum", "left_out"), 0)
    # Place and width are above the border anyway.
    np.testing.assert_array_equal(
        read(tree, "net", "x", "frames"), read(tree, "peak", "x", "frames")
    )
    difference = read(tree, "peak", "mean", "frames") - read(tree, "background", "mean", "frames")
    ratio = difference / read(tree, "monitor", "sum", "frames")
    np.testing.assert_allclose(read(tree, "net", "mean", "frames"), ratio)


def test_over_a_number_of_the_records(tree) -> None:
    for part in ("y", "y_errors"):
        plain = read(tree, "peak", "sum", part)
        np.testing.assert_allclose(read(tree, "per_charge", "sum", part), plain / CHARGE)


def test_totals_divide_to_the_means_over_the_scan(tree) -> None:
    sums, weights = tree["roi_totals"], tree["roi_weights"]
    mean = np.divide(sums, weights, out=np.full(sums.shape, np.nan), where=weights > 0)
    assert mean.shape == (len(ROIS), len(STATISTICS))
    for row, roi in enumerate(ROIS):
        for column, statistic in enumerate(STATISTICS):
            frames = read(tree, roi, statistic, "frames")
            if roi == "net" and statistic in ("mean", "sum"):
                # A ratio of sums, and not the mean of the ratios.
                below = read(tree, "monitor", "sum", "frames")
                assert mean[row, column] == pytest.approx((frames * below).sum() / below.sum())
            elif roi == "per_charge" and statistic in ("mean", "sum", "max"):
                # The record of a frame comes after it.
                assert tree["roi_weights"][row, column] == 0
            elif roi != "net":
                seen = frames[np.isfinite(frames)]
                assert weights[row, column] == len(seen)
                assert sums[row, column] == pytest.approx(seen.sum())


def test_a_roi_that_is_drawn_later_is_measured_in_the_image(tree) -> None:
    run = Dispatch(1, seed=1)
    run.to_all(**{PILATUS: header("/raw/p.h5")})
    frames = [np.full((20, 30), 2.0, np.float32), np.full((20, 30), 3.0, np.float32)]
    frames[0][4, 5] = frames[1][4, 5] = -1
    run.change(accumulate=True)
    for number, frame in enumerate(frames):
        run.to_one(**{PILATUS: image(number, frame)})
    run.to_all(**{PILATUS: series_end()})
    run.deliver()
    later = {"a": {"x": 5, "y": 4, "width": 3, "height": 2}, "z": {**ROIS["peak"]}}
    run.change(rois=json.dumps(later))
    run.reducer.timer(parameters(run.settings[0]))
    for part in (run.published, run.published["cameras"][PILATUS]):
        found = unpack(np.asarray(part["image_rois"]).tobytes())
        assert (found["frames"], found["unit"]) == (2, "TOT")
        assert list(json.loads(found["rois"])) == ["a"]
        values = dict(zip(COLUMNS, found["statistics"][0], strict=True))
        assert (values["mean"], values["sum"], values["pixels"]) == (5.0, 25.0, 5)


@pytest.mark.parametrize("workers", [1, 3])
def test_the_number_of_workers_changes_nothing(tree, workers: int) -> None:
    other = run_scan(workers)
    for roi in ROIS:
        for statistic in STATISTICS:
            for part in ("frames", "y", "y_errors", "n"):
                np.testing.assert_array_equal(
                    read(tree, roi, statistic, part), read(other, roi, statistic, part)
                )


def test_the_chosen_statistic_is_what_curves_and_newest_show(tree) -> None:
    shown = run_scan(2, roi_statistic=STATISTICS.index("x"))
    curves = unpack(np.asarray(shown["curves"]).tobytes())
    assert curves["names"] == list(ROIS)
    np.testing.assert_array_equal(curves["means"][0], read(tree, "peak", "x", "y"))
    np.testing.assert_array_equal(curves["errors"][0], read(tree, "peak", "x", "y_errors"))
    np.testing.assert_array_equal(
        shown["roi_newest"], tree["roi_newest_statistics"][:, STATISTICS.index("x")]
    )
    np.testing.assert_array_equal(
        np.asarray(shown["step_means"]["peak"]["y"]), np.asarray(tree["step_means"]["peak"]["y"])
    )
