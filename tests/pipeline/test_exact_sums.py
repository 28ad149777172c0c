"""The sum holds exactly the frames processed while Accumulate was true, since the last reset."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.dispatch import Dispatch, header, image, sardana, series_end
from support.repeats import repeats

from pipeline.worker import together

FLUSH = "femtotango flush"
SHAPE = (4, 6)


def frame(number: int) -> np.ndarray:
    """A frame whose sum tells which frames are in it: each adds one to a pixel of its own."""
    pixels = np.full(SHAPE, float(number + 1), np.float32)
    pixels[0, 0] = -1
    return pixels


class Expected:
    """The plain sum beside the pipeline's."""

    def __init__(self) -> None:
        self.total = np.zeros(SHAPE)
        self.count = 0
        self.accumulation_id = 0

    def add(self, pixels: np.ndarray) -> None:
        self.total += np.where(pixels >= 0, pixels, 0)
        self.count += 1

    def reset(self) -> int:
        self.total = np.zeros(SHAPE)
        self.count = 0
        self.accumulation_id += 1
        return self.accumulation_id


STEPS = st.lists(
    st.sampled_from(
        ["frame"] * 8 + ["lost", "toggle", "reset", "deliver", "end", "cut", "flush", "other"]
    ),
    min_size=5,
    max_size=80,
)


@settings(
    deadline=None, max_examples=repeats(100, 300), suppress_health_check=[HealthCheck.too_slow]
)
@given(steps=STEPS, workers=st.integers(1, 4), seed=st.integers(0, 2**16), together=st.booleans())
def test_any_run_sums_exactly(steps: list[str], workers: int, seed: int, together: bool) -> None:
    run = Dispatch(workers, seed, together=together)
    run.change(accumulate=True, accumulation_id=1)
    expected = Expected()
    expected.accumulation_id = 1
    accumulating, number, begun = True, 0, False
    for step in steps:
        if step in ("frame", "lost"):
            if not begun:
                run.to_all(pilatus=header())
                begun = True
            run.to_one(lost=step == "lost", pilatus=image(number, frame(number)))
            if accumulating:
                expected.add(frame(number))
            number += 1
            if step == "lost":
                # dranspose loses a result only when it cuts the scan off.
                run.deliver()
                run.new_scan()
                begun = False
        elif step == "toggle":
            accumulating = not accumulating
            if accumulating:
                # The device raises the id first, and waits until all workers have it.
                run.change(accumulation_id=expected.reset())
            run.change(accumulate=accumulating)
        elif step == "reset":
            run.change(accumulation_id=expected.reset())
        elif step == "deliver":
            run.deliver(at_most=run.random.randrange(5))
        elif step == "end" and begun:
            run.to_all(pilatus=series_end())
            run.new_scan()
            begun = False
        elif step == "cut":
            run.new_scan()
            begun = False
        elif step == "flush":
            run.new_scan()
            run.to_all(sardana=sardana("DataDescription", title=FLUSH, serialno=0, scandir=""))
            begun = False
        elif step == "other":
            run.change(energy_threshold=float(run.random.randrange(1000)))
    run.new_scan()
    run.to_all(sardana=sardana("DataDescription", title=FLUSH, serialno=0, scandir=""))
    run.deliver()
    current = run.reducer._state.accumulation.of("pilatus").current
    if expected.count == 0:
        assert current is None or current.accumulation_id < expected.accumulation_id
        return
    assert current is not None
    assert current.count == expected.count
    np.testing.assert_array_equal(current.image, expected.total)
    if accumulating:
        assert run.published["accumulated_number"] == expected.count
        published = np.asarray(run.published["image"])
        assert np.isnan(published[0, 0])
        np.testing.assert_array_equal(published[1:], expected.total[1:])


def test_results_of_fast_frames_travel_together_and_the_end_brings_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # On a busy machine, too, these frames are fast.
    monkeypatch.setattr(together, "_FAST", math.inf)
    run = Dispatch(1, together=True)
    run.change(accumulate=True, accumulation_id=1)
    run.to_all(pilatus=header())
    run.deliver()
    arrived = []
    for number in range(40):
        run.to_one(pilatus=image(number, frame(number)))
        run.deliver()
        arrived.append(run.published["scan"]["frames"])
    assert len(set(arrived)) < 20
    run.to_all(pilatus=series_end())
    run.deliver()
    assert run.published["scan"]["frames"] == run.published["accumulated_number"] == 40


def test_photons_of_fast_frames_travel_together_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "_FAST", math.inf)
    run = Dispatch(1, together=True)
    run.change(
        accumulate=True,
        accumulation_id=1,
        photon_roi='{"x": 0, "y": 0, "width": 20, "height": 20}',
    )
    run.to_all(andor3_balor=header())
    run.deliver()
    photon = np.full((20, 20), 100, np.uint16)
    photon[9:12, 9:12] = 200
    photon[10, 10] = 500
    arrived = []
    for number in range(40):
        run.to_one(andor3_balor=image(number, photon))
        run.deliver()
        arrived.append(run.published["photons"]["count"])
    assert len(set(arrived)) < 20
    run.to_all(andor3_balor=series_end())
    run.deliver()
    assert run.published["photons"]["count"] == run.published["image_sum"] == 40


def test_batches_that_arrive_twice_count_once() -> None:
    run = Dispatch(2, seed=3)
    run.change(accumulate=True, accumulation_id=1)
    run.to_all(pilatus=header())
    for number in range(10):
        run.to_one(pilatus=image(number, frame(number)))
    # Delivered, but the workers cannot know: the scan is cut off before their next event.
    run.deliver()
    run.new_scan()
    run.to_all(sardana=sardana("DataDescription", title=FLUSH, serialno=0, scandir=""))
    run.deliver()
    assert run.published["accumulated_number"] == 10


def test_settings_that_reach_one_worker_later_split_no_sum() -> None:
    run = Dispatch(2)
    run.change(accumulate=True, accumulation_id=1)
    run.to_all(andor3_balor=header())
    dark = np.full((20, 20), 100, np.uint16)
    for number in range(4):
        run.to_one(number % 2, andor3_balor=image(number, dark + np.uint16(50)))
    region = '{"x": 0, "y": 0, "width": 20, "height": 20}'
    run.change_one(0, photon_roi=region)
    run.to_one(0, andor3_balor=image(4, dark))
    run.to_one(1, andor3_balor=image(5, dark + np.uint16(50)))
    run.change_one(1, photon_roi=region)
    run.to_one(1, andor3_balor=image(6, dark))
    run.to_one(0, andor3_balor=image(7, dark))
    run.to_all(andor3_balor=series_end())
    run.deliver()
    sums = run.reducer._state.accumulation
    assert run.published["image_unit"] == "counts"
    assert run.published["accumulated_number"] == 3
    assert [(s.unit, s.count) for s in sums.ended] == [("ADU", 5)]


def test_without_a_device_a_forwarded_frame_separates_two_sums() -> None:
    run = Dispatch(2, seed=1, name="replay-worker-")
    run.to_all(pilatus=header())
    for number, accumulate in enumerate([True, True, False, True, True, True]):
        run.change(accumulate=accumulate)
        run.to_one(pilatus=image(number, frame(number)))
        run.deliver()
    assert run.published["accumulated_number"] == 3
    np.testing.assert_array_equal(np.asarray(run.published["image"])[1], np.full(6, 4.0 + 5 + 6))


def test_forwarding_shows_the_newest_frame() -> None:
    run = Dispatch(3, seed=5)
    run.to_all(pilatus=header())
    for number in range(20):
        run.to_one(pilatus=image(number, frame(number)))
    run.to_all(pilatus=series_end())
    run.deliver()
    assert run.published["accumulated_number"] == 1
    np.testing.assert_array_equal(np.asarray(run.published["image"])[1], np.full(6, 20.0))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "int32", "int64", "float64"])
def test_cmos_sums_are_exact_in_every_dtype(dtype: str) -> None:
    rng = np.random.default_rng(1)
    frames = rng.integers(0, 255, (12, *SHAPE)).astype(dtype)
    run = Dispatch(2, seed=2)
    run.change(accumulate=True, accumulation_id=1)
    run.to_all(andor3_zyla10=header())
    for number, pixels in enumerate(frames):
        run.to_one(andor3_zyla10=image(number, pixels))
    run.to_all(andor3_zyla10=series_end())
    run.deliver()
    corrected = frames.astype(float) - 100
    corrected[corrected <= 12] = 0
    np.testing.assert_array_equal(np.asarray(run.published["image"]), corrected.sum(axis=0))
    assert run.published["image_unit"] == "ADU"


def test_a_background_with_a_fraction_in_the_middle_of_a_sum_loses_nothing() -> None:
    run = Dispatch(1)
    run.change(accumulate=True, accumulation_id=1)
    run.to_all(andor3_zyla12=header())
    pixels = np.full(SHAPE, 200, np.uint16)
    run.to_one(andor3_zyla12=image(0, pixels))
    run.change(background=100.5)
    run.to_one(andor3_zyla12=image(1, pixels))
    run.to_all(andor3_zyla12=series_end())
    run.deliver()
    np.testing.assert_array_equal(np.asarray(run.published["image"]), np.full(SHAPE, 199.5))
    assert run.published["accumulated_number"] == 2


def test_the_result_of_each_frame_is_sent_at_once() -> None:
    run = Dispatch(1)
    run.change(accumulate=True, accumulation_id=1)
    run.to_all(pilatus=header())
    for number in range(200):
        run.to_one(pilatus=image(number, frame(number)))
        run.deliver()
        assert run.published["scan"]["frames"] == number + 1
    run.to_all(pilatus=series_end())
    run.deliver()
    assert run.published["accumulated_number"] == 200
