"""Which pixels of a partial sum were seen, for masks that stay and for masks that change."""

import numpy as np
import pytest

from pipeline.reducer.masks import SeenPixels, frames_seen
from pipeline.worker.masked_pixels import MaskedPixels

SHAPE = (6, 11)


def frames(rng: np.random.Generator, count: int, changing: bool) -> list[np.ndarray]:
    """Return frames whose masked pixels are the same, or some of them others in each."""
    masked = rng.random(SHAPE) < 0.3
    made = []
    for _ in range(count):
        now = masked ^ (rng.random(SHAPE) < 0.1) if changing else masked
        made.append(np.where(now, -1, rng.integers(0, 3, SHAPE)).astype(np.float32))
    return made


@pytest.mark.parametrize("changing", [False, True])
def test_each_pixel_is_counted_in_the_frames_that_saw_it(changing: bool) -> None:
    rng = np.random.default_rng(7)
    masked, seen = MaskedPixels(), SeenPixels(SHAPE)
    truth, expected = np.zeros(SHAPE, np.uint32), np.zeros(SHAPE)
    for partial in range(4):
        # A change in one partial sum must be forgotten in the next one.
        images = frames(rng, 3, changing and partial % 2 == 0)
        total = np.zeros(SHAPE)
        for image in images:
            masked.add_frame(total, image)
        np.testing.assert_array_equal(total, sum(np.where(i < 0, 0, i) for i in images))
        expected += total
        valid, missed = masked.take(len(images))
        of_these = sum((i >= 0).astype(np.uint32) for i in images)
        np.testing.assert_array_equal(frames_seen(valid, missed, len(images)), of_these)
        truth += of_these
        seen.add(valid, missed, len(images))
        np.testing.assert_array_equal(seen.valid, truth > 0)
    np.testing.assert_array_equal(seen.counts, truth)
    np.testing.assert_array_equal(seen.valid, truth > 0)


def test_frames_with_one_mask_are_known_to_be_equal_without_counting() -> None:
    valid = np.arange(66).reshape(SHAPE) % 3 > 0
    seen = SeenPixels(SHAPE)
    for _ in range(3):
        seen.add(valid.copy(), None, 5)
    assert seen.are_equal
    np.testing.assert_array_equal(seen.counts, valid * 15)
    seen.add(~valid, None, 2)
    assert not seen.are_equal
    np.testing.assert_array_equal(seen.counts, np.where(valid, 15, 2))
    assert seen.valid.all()


def test_frames_that_were_dropped_leave_no_trace() -> None:
    masked, image = MaskedPixels(), np.zeros(SHAPE, np.float32)
    masked.add_frame(np.zeros(SHAPE), image)
    image[0, 0] = -1
    masked.add_frame(np.zeros(SHAPE), image)
    masked.forget()
    masked.add_frame(np.zeros(SHAPE), image)
    valid, missed = masked.take(1)
    np.testing.assert_array_equal(valid, image >= 0)
    assert missed is None
