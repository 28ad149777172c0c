"""Worker and reducer together: steps, bad frames, cut-off scans, what is published."""

import json

import numpy as np
import pytest
from support.dispatch import (
    Dispatch,
    Stream,
    header,
    image,
    parameters,
    sardana,
    series_end,
)
from support.waiting import wait_for

from pipeline.protocols.packing import unpack

ROIS = json.dumps(
    {
        "all": {"x": 0, "y": 0, "width": 8, "height": 8},
        "corner": {"x": 6, "y": 6, "width": 9, "height": 9},
        "away": {"x": 50, "y": 50, "width": 5, "height": 5},
    }
)


def pilatus_scan(run: Dispatch, frames: np.ndarray, burst: int, motors: list[str]) -> None:
    description = sardana(
        "DataDescription", ref_moveables=motors, title="mesh", serialno=42, scandir="/x"
    )
    run.to_all(pilatus=header("/data/raw/a.h5"), sardana=description)
    for number, pixels in enumerate(frames):
        streams = {"pilatus": image(number, pixels)}
        if number % burst == burst - 1:
            point = number // burst
            positions = {motor: point * (i + 1) / 4 for i, motor in enumerate(motors)}
            streams["sardana"] = sardana("RecordData", timestamp=0.1, point_nb=point, **positions)
        run.to_one(**streams)
        if number % 7 == 0:
            run.deliver(at_most=2)
    run.to_all(pilatus=series_end(), sardana=sardana("RecordEnd"))
    run.deliver()


@pytest.mark.parametrize("burst", [1, 4])
@pytest.mark.parametrize("motors", [["m"], ["m", "n/with/slashes"]])
@pytest.mark.parametrize("workers", [1, 3])
def test_step_means_are_those_of_the_frames(burst: int, motors: list[str], workers: int) -> None:
    rng = np.random.default_rng(burst)
    frames = rng.integers(-1, 20, (20, 8, 8)).astype(np.float32)
    run = Dispatch(workers, seed=burst)
    run.change(rois=ROIS, accumulate=True)
    pilatus_scan(run, frames, burst, motors)
    tree = run.published
    good = frames >= 0
    per_frame = np.array([f[g].mean(dtype=float) for f, g in zip(frames, good, strict=True)])
    np.testing.assert_allclose(np.asarray(tree["roi_means"]["all"]), per_frame)
    steps = per_frame.reshape(-1, burst)
    published = tree["step_means"]["all"]
    np.testing.assert_allclose(np.asarray(published["y"]), steps.mean(axis=1))
    np.testing.assert_array_equal(np.asarray(published["n"]), burst)
    if burst > 1:
        errors = steps.std(axis=1, ddof=1) / np.sqrt(burst)
        np.testing.assert_allclose(np.asarray(published["y_errors"]), errors)
    else:
        assert np.isnan(np.asarray(published["y_errors"])).all()
    np.testing.assert_allclose(np.asarray(tree["x"]), np.arange(len(steps)) / 4)
    assert tree["x_label"] == "m"
    assert len(tree["scan"]["movables"]) == len(motors)
    assert np.isnan(np.asarray(tree["roi_means"]["away"])).all()
    curves = unpack(np.asarray(tree["curves"]).tobytes())
    assert curves["names"] == ["all", "corner", "away"]
    np.testing.assert_allclose(curves["means"][0], steps.mean(axis=1))
    assert tree["scan"]["number"] == 42
    assert json.loads(tree["sum_frames"]) == {"42": [[0, 19]]}
    assert tree["scan"]["ended"] == 1
    assert len(tree["scan"]["ended_workers"]) == workers


def test_without_sardana_the_axis_is_the_frame_number() -> None:
    run = Dispatch(2)
    run.change(rois=ROIS)
    run.to_all(pilatus=header())
    for number in range(9):
        run.to_one(pilatus=image(number, np.full((8, 8), number, np.float32)))
    run.deliver()
    tree = run.published
    np.testing.assert_array_equal(np.asarray(tree["x"]), np.arange(9))
    assert tree["x_label"] == "frame number"
    assert unpack(np.asarray(tree["snapshot"]).tobytes())["roi_newest"][0] == 8.0


def test_a_roi_that_comes_later_has_no_value_before() -> None:
    run = Dispatch(1)
    run.to_all(pilatus=header())
    run.to_one(pilatus=image(0, np.ones((8, 8), np.float32)))
    run.change(rois=ROIS)
    run.to_one(pilatus=image(1, np.ones((8, 8), np.float32)))
    run.deliver()
    np.testing.assert_array_equal(np.asarray(run.published["roi_means"]["all"]), [np.nan, 1.0])


def test_bad_frames_are_counted_and_named_and_cost_nothing_else() -> None:
    run = Dispatch(2)
    run.change(accumulate=True)
    run.to_all(pilatus=header(), sardana=sardana("DataDescription", ref_moveables=["m"], title="s"))
    good = np.ones((8, 8), np.float32)
    bad = [
        image(1, good, compression="zip"),
        image(2, good, shape=[8, 9]),
        image(3, good, type="no"),
        Stream("STINS", [b"\xff"]),
    ]
    run.to_one(pilatus=image(0, good))
    for stream in bad:
        run.to_one(pilatus=stream)
    run.to_one(pilatus=image(5, good), sardana=sardana("RecordData", timestamp=0.0, m=1.0))
    run.to_one(pilatus=image(6, good), sardana=Stream("sardana", [b"no json"]))
    run.to_all(pilatus=series_end(), sardana=sardana("RecordEnd"))
    run.deliver()
    tree = run.published
    assert tree["accumulated_number"] == 3
    assert tree["health"]["frames"] == 3
    assert tree["health"]["failed_frames"] == 5
    assert "sardana" in tree["health"]["last_error"]
    assert tree["scan"]["ended"] == 1


def test_a_change_of_shape_starts_a_new_sum() -> None:
    run = Dispatch(2)
    run.change(accumulate=True)
    run.to_all(pilatus=header())
    for number in range(4):
        run.to_one(pilatus=image(number, np.ones((8, 8), np.float32)))
    for number in range(4, 7):
        run.to_one(pilatus=image(number, np.ones((5, 6), np.float32)))
    run.to_all(pilatus=series_end())
    run.deliver()
    assert run.published["accumulated_number"] == 3
    assert np.asarray(run.published["image"]).shape == (5, 6)
    assert [s.count for s in run.reducer._state.accumulation.ended] == [4]


def test_a_reset_empties_the_published_sum_at_once() -> None:
    run = Dispatch(1)
    run.change(accumulate=True, accumulation_id=1)
    run.to_all(pilatus=header())
    run.to_one(pilatus=image(0, np.ones((8, 8), np.float32)))
    run.to_all(pilatus=series_end())
    run.deliver()
    assert run.published["accumulated_number"] == 1
    run.change(accumulation_id=2)
    run.reducer.timer(parameters(run.settings[0]))
    assert run.published["accumulated_number"] == 0
    assert "image" not in run.published


def leaves(tree: dict, path: str = ""):
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{path}{name}/")
        else:
            yield path + name, value


def test_only_what_the_http_reader_can_serve_is_published() -> None:
    run = Dispatch(2)
    run.change(rois=ROIS)
    pilatus_scan(run, np.full((8, 8, 8), -1, np.float32), 4, ["m"])
    for path, value in leaves(run.published):
        assert not isinstance(value, bool), path
        if isinstance(value, float):
            assert np.isfinite(value), path
        elif isinstance(value, list):
            assert all(isinstance(item, str) for item in value), path
        elif not isinstance(value, int | str):
            assert np.asarray(value).dtype.kind in "iuf", path


def test_the_curve_is_settled_when_it_belongs_to_the_newest_image() -> None:
    run = Dispatch(1)
    run.change(accumulate=True, photon_energy=13.5, distance=0.1, azimuthal_bins=5)
    run.to_all(pilatus=header())
    run.to_one(pilatus=image(0, np.ones((8, 8), np.float32)))
    run.to_all(pilatus=series_end())
    run.deliver()
    assert run.published["health"]["settled"] == 0
    run.reducer._background.do_due_work(1e9)
    wait_for(lambda: run.published["health"]["settled"] == 1, "the curve is settled")
    assert len(run.published["azimuthal"]["q"]) == 5
    run.change(distance=0.2)
    run.reducer.timer(parameters(run.settings[0]))
    run.change(distance=0.0)
    run.reducer.timer(parameters(run.settings[0]))
    assert run.published["health"]["settled"] == 1
