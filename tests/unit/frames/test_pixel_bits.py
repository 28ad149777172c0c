"""Sixty-four pixels as the bits of a word: what numpy says of each pixel."""

import numba
import numpy as np
import pytest
from numba.core.errors import TypingError

from pipeline.frames.pixel_bits import (
    PIXELS,
    at_least,
    filled_and_counting,
    left_at_least,
    lowest_bit,
    words_of,
)

DTYPES = ["uint8", "int16", "uint16", "int32", "uint64", "int64", "float32", "float64"]
START = 3


@numba.njit
def both(pixels):  # type: ignore[no-untyped-def]
    return filled_and_counting(pixels, START)


@numba.njit
def from_first(pixels, first):  # type: ignore[no-untyped-def]
    return at_least(pixels, START, first)


@numba.njit
def left_from_first(pixels, level, first):  # type: ignore[no-untyped-def]
    return left_at_least(pixels, level, START, first)


@numba.njit
def lowest(word):  # type: ignore[no-untyped-def]
    return lowest_bit(word)


def pixels_of(dtype: str) -> np.ndarray:
    """Return more pixels than a word has; extremes and what is no number are among them."""
    rng = np.random.default_rng(5)
    pixels = rng.integers(0, 4, PIXELS + 2 * START).astype(dtype)
    if pixels.dtype.kind == "f":
        pixels[4:10] = np.nan, np.inf, -np.inf, -0.0, -1.5, np.finfo(dtype).tiny
    else:
        pixels[4:6] = np.iinfo(dtype).min, np.iinfo(dtype).max
    return pixels


def word(flags: np.ndarray) -> int:
    """Return the word whose bits are the flags of the pixels from `START` on."""
    return sum(1 << int(i) for i in np.flatnonzero(flags[START : START + PIXELS]))


@pytest.mark.parametrize("dtype", DTYPES)
def test_filled_and_counting_pixels_are_those_of_numpy(dtype: str) -> None:
    pixels = pixels_of(dtype)
    filled, counting = both(pixels)
    assert filled == word(pixels != 0)
    assert counting == word((pixels >= 0) & np.isfinite(pixels))


@pytest.mark.parametrize("dtype", DTYPES)
def test_pixels_from_a_value_up_are_those_of_numpy(dtype: str) -> None:
    pixels = pixels_of(dtype)
    for first in (pixels.dtype.type(2), pixels[5]):
        assert from_first(pixels, first) == word(pixels >= first)


@pytest.mark.parametrize("dtype", DTYPES)
def test_pixels_above_their_levels_are_those_of_numpy(dtype: str) -> None:
    pixels = pixels_of(dtype)
    level = np.random.default_rng(6).normal(1.0, 0.5, len(pixels)).astype(np.float32)
    level[20:24] = np.inf
    kind = np.float64 if dtype == "float64" else np.float32
    first = kind(0.75)
    with np.errstate(invalid="ignore"):
        left = pixels.astype(kind) - level
    assert left_from_first(pixels, level, first) == word(left >= first)


@pytest.mark.parametrize("size", [1, 63, 64, 65, 1000])
def test_flags_become_words_with_nothing_behind_the_last(size: int) -> None:
    flags = np.random.default_rng(size).random(size) < 0.5
    words = words_of(flags.astype(np.uint8))
    bits = np.unpackbits(words.view(np.uint8), bitorder="little").astype(bool)
    assert len(words) == -(-size // PIXELS)
    np.testing.assert_array_equal(bits[:size], flags)
    assert not bits[size:].any()


@pytest.mark.parametrize("bit", [0, 1, 31, 32, 63])
def test_the_lowest_bit_is_found(bit: int) -> None:
    assert lowest(np.uint64(1 << 63 | 1 << bit)) == bit


def test_pixels_that_do_not_lie_side_by_side_are_refused() -> None:
    with pytest.raises(TypingError, match="side by side"):
        both(np.zeros(400)[::2])
