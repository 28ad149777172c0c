"""Frames of one kind become one partial sum; nothing is lost when the kind changes."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.model.cameras import Unit
from pipeline.protocols.batch import PartialSum, SparseImage
from pipeline.worker import frame_buffer
from pipeline.worker.array_pool import ArrayPool
from pipeline.worker.frame_buffer import BufferKey, FrameBuffer, flush_interval

SHAPE = (4, 6)
TOT = BufferKey("scan", "pilatus", Unit.TOT, SHAPE, np.dtype(np.float64), True, 1)
ADU = BufferKey("scan", "andor3_zyla10", Unit.ADU, SHAPE, np.dtype(np.uint32), True, 1)


def frame(value: float, dtype: str = "float32") -> np.ndarray:
    return np.full(SHAPE, value, dtype)


def add(buffer: FrameBuffer, key: BufferKey, image: np.ndarray, number: int) -> None:
    assert buffer.fits(key) or buffer.flush() is None
    buffer.add(key, image, number + 1, number, 100.0, 12.0)


def flushed(buffer: FrameBuffer) -> PartialSum:
    partial = buffer.flush()
    assert partial is not None
    return partial


def test_frames_of_one_kind_are_added_up() -> None:
    buffer = FrameBuffer()
    masked = frame(2)
    masked[0, 0] = -1
    for number in range(3):
        add(buffer, TOT, masked, number)
    partial = flushed(buffer)
    assert (partial.events, partial.frames) == ((1, 2, 3), (0, 1, 2))
    assert (partial.mapping, partial.stream, partial.unit) == ("scan", "pilatus", Unit.TOT)
    expected = frame(6, "float64")
    expected[0, 0] = 0
    np.testing.assert_array_equal(partial.image, expected)
    np.testing.assert_array_equal(partial.valid, masked >= 0)


def test_cmos_frames_have_background_and_threshold() -> None:
    buffer = FrameBuffer()
    add(buffer, ADU, frame(112, "uint16"), 0)
    add(buffer, ADU, frame(150, "uint16"), 1)
    partial = flushed(buffer)
    np.testing.assert_array_equal(partial.image, frame(50))
    assert partial.valid is None


def test_without_accumulation_the_newest_frame_alone_is_sent() -> None:
    buffer, key = FrameBuffer(), replace(ADU, accumulate=False)
    for number in range(3):
        add(buffer, key, frame(200 + number, "uint16"), number)
    partial = flushed(buffer)
    assert (partial.events, partial.frames, partial.accumulate) == ((3,), (2,), False)
    np.testing.assert_array_equal(partial.image, frame(102))


def test_an_empty_buffer_has_nothing_to_flush() -> None:
    buffer = FrameBuffer()
    assert buffer.flush() is None
    assert buffer.flush_if_due() is None
    add(buffer, TOT, frame(1), 0)
    flushed(buffer)
    assert buffer.flush() is None


@pytest.mark.parametrize(
    "changed",
    [
        {"mapping": "next scan"},
        {"stream": "andor3_zyla12"},
        {"unit": Unit.ADU},
        {"shape": (6, 4)},
        {"dtype": np.dtype(np.int64)},
        {"accumulate": False},
        {"accumulation_id": 2},
    ],
)
def test_a_frame_of_another_kind_does_not_fit(changed: dict) -> None:
    buffer = FrameBuffer()
    add(buffer, TOT, frame(1), 0)
    assert buffer.fits(TOT)
    assert not buffer.fits(replace(TOT, **changed))


def test_after_a_flush_frames_of_another_kind_start_from_zero() -> None:
    buffer, other = FrameBuffer(), replace(TOT, accumulation_id=2)
    add(buffer, TOT, frame(1), 0)
    assert flushed(buffer).accumulation_id == 1
    add(buffer, other, frame(5), 1)
    partial = flushed(buffer)
    assert (partial.accumulation_id, partial.frames) == (2, (1,))
    np.testing.assert_array_equal(partial.image, frame(5))


def test_a_full_sum_takes_no_more_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_buffer, "_MAX_FRAMES", 2)
    buffer = FrameBuffer()
    add(buffer, ADU, frame(65535, "uint16"), 0)
    assert buffer.fits(ADU)
    add(buffer, ADU, frame(65535, "uint16"), 1)
    assert not buffer.fits(ADU)


def test_as_many_frames_as_are_allowed_cannot_overflow() -> None:
    assert frame_buffer._MAX_FRAMES * 65535 < 2**32


def test_a_large_image_of_few_pixels_travels_sparse() -> None:
    shape = (1024, 1024)
    key = replace(TOT, shape=shape)
    image = np.zeros(shape, np.float32)
    image[3, 4] = 7
    buffer = FrameBuffer()
    add(buffer, key, image, 0)
    partial = flushed(buffer)
    assert isinstance(partial.image, SparseImage)
    assert partial.image.index.tolist() == [3 * 1024 + 4]
    assert partial.image.value.tolist() == [7.0]
    add(buffer, key, image, 1)
    again = flushed(buffer).image
    assert isinstance(again, SparseImage)
    assert again.value.tolist() == [7.0]


def test_big_sums_are_flushed_less_often_but_within_half_a_second() -> None:
    assert flush_interval(1000, 1) == pytest.approx(0.15, abs=1e-3)
    assert flush_interval(10**9, 1) == 0.4


def test_sums_that_grow_fast_are_flushed_less_often_and_those_of_10_hz_never() -> None:
    assert flush_interval(1000, 100) == flush_interval(10**9, 100) == 0.4
    # All of the beamline's frames in one worker.
    assert flush_interval(1000, 4) < 0.2


def test_arrays_come_back_as_zeros_and_those_of_another_shape_are_dropped() -> None:
    pool, dtype = ArrayPool(), np.dtype(np.uint32)
    first = pool.take(SHAPE, dtype)
    first[:] = 9
    pool.give_back(first)
    again = pool.take(SHAPE, dtype)
    assert again is first
    assert not again.any()
    pool.give_back(again)
    pool.give_back(np.zeros((2, 2), dtype))
    assert pool.take(SHAPE, dtype) is not first
