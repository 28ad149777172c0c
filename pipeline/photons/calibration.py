"""Offset and noise of each pixel from dark frames, one frame after the other.

The frames may hold some photons, and pixels may jump between two levels (telegraph noise):

1. The first frames are kept. Of each pixel, values that are off its median by more than 4 σ (from
   the median of the absolute deviations) and 2 ADU are left out; mean and rms of the others start
   the count.
2. Each further value counts when it is within 4.5 σ of the pixel's mean, where σ is the pixel's rms
   so far; else it is only counted as *off*.

So a photon moves neither mean nor rms. A pixel that jumps often has both levels within its σ: its
noise is large, and it weighs little. One that jumps now and then would look quiet, but is off more
often than photons explain: it is bad, as are pixels that never change, are far noisier than all
others, or are far from all others' offset.

Memory: the first frames, and six numbers a pixel, however many frames there are.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

FIRST_FRAMES = 25
"""Frames that are kept to begin with; fewer are too few for a calibration."""
_MAD_TO_SIGMA = 1.4826
_CLIP = 4.5
_FLAT = 0.05
"""Part of the median noise, below which a pixel does not see anything."""
_NOISIEST = 15.0
"""Times the median noise, above which a pixel is bad."""
_FARTHEST = 40.0
"""A pixel is bad when its offset is so many robust widths off those of all pixels."""
_SURPRISE = 1e-6
"""A pixel jumps when so many values are off with this probability only."""


_ROWS = 64
"""Rows between which other threads are asked: with few, a busy reducer would hold this one up."""


class CalibrationError(Exception):
    """Frames from which no calibration can be made; the text says why."""


@dataclass(frozen=True)
class Calibration:
    """What is known of each pixel without light."""

    offset: NDArray[np.float32]
    """``(ny, nx)`` mean [ADU raw]."""
    noise: NDArray[np.float32]
    """``(ny, nx)`` standard deviation [ADU]."""
    bad: NDArray[np.bool_]
    """``(ny, nx)`` pixels that must not be used."""
    frames: int
    """From how many frames."""

    @property
    def shape(self) -> tuple[int, int]:
        """``(ny, nx)``."""
        return self.offset.shape[0], self.offset.shape[1]

    @property
    def median_noise(self) -> float:
        """Median noise of the pixels that are not bad [ADU]."""
        return float(np.median(self.noise[~self.bad])) if not self.bad.all() else math.nan

    def part(self, rows: slice, columns: slice) -> "Calibration":
        """Return what is known of some rows and columns."""
        return Calibration(
            np.ascontiguousarray(self.offset[rows, columns]),
            np.ascontiguousarray(self.noise[rows, columns]),
            np.ascontiguousarray(self.bad[rows, columns]),
            self.frames,
        )

    def weights(self) -> NDArray[np.float32]:
        """Return 1 / noise² of each pixel, 0 for bad ones, ``(ny, nx)`` [1/ADU²]."""
        weights = np.zeros(self.shape, np.float32)
        good = ~self.bad
        weights[good] = 1 / np.square(self.noise[good])
        return weights


class Calibrator:
    """Takes in dark frames; `result` may be asked at any time."""

    def __init__(self, first_frames: int = FIRST_FRAMES) -> None:
        """Begin without a frame.

        Args:
            first_frames: are kept to begin with, and are the fewest of which there is a result.
        """
        self._first_frames = first_frames
        self._first: list[NDArray] = []
        self._sums: _Sums | None = None
        self._shape: tuple[int, ...] | None = None
        self.frames = 0
        """Taken in so far."""

    def add_frame(self, image: NDArray) -> None:
        """Take in one frame.

        Args:
            image: ``(ny, nx)`` integer or float [ADU raw].

        Raises:
            CalibrationError: its shape is not that of the frames before.
        """
        if image.ndim != 2 or (self._shape is not None and image.shape != self._shape):
            raise CalibrationError(
                f"frame {self.frames} has shape {image.shape}, the frames before {self._shape}; "
                "calibrate frames of one camera with one area of interest."
            )
        self._shape = image.shape
        self.frames += 1
        if self._sums is not None:
            self._sums.add(image)
            return
        self._first.append(np.array(image))
        if len(self._first) == self._first_frames:
            self._sums = _Sums.of(self._first)
            self._first = []

    def result(self) -> Calibration:
        """Return what the frames so far say.

        Raises:
            CalibrationError: they are too few.
        """
        if self._sums is None:
            raise CalibrationError(
                f"{self.frames} frames are too few for a calibration; take {self._first_frames} "
                "at least, better 200."
            )
        return self._sums.calibration(self.frames)


def calibrate(frames: Iterable[NDArray]) -> Calibration:
    """Calibrate a camera from its dark frames.

    Args:
        frames: each ``(ny, nx)`` [ADU raw].

    Raises:
        CalibrationError: there are too few, or their shapes differ.
    """
    calibrator = Calibrator()
    for frame in frames:
        calibrator.add_frame(frame)
    return calibrator.result()


@dataclass(frozen=True)
class _Sums:
    count: NDArray[np.uint32]
    mean: NDArray[np.float32]
    squares: NDArray[np.float32]
    """Sum of squared deviations from the mean."""
    off: NDArray[np.uint32]
    """Values that were left out."""

    @classmethod
    def of(cls, frames: list[NDArray]) -> "_Sums":
        shape = frames[0].shape
        sums = cls(
            np.zeros(shape, np.uint32),
            np.zeros(shape, np.float32),
            np.zeros(shape, np.float32),
            np.zeros(shape, np.uint32),
        )
        # Some rows at a time: all frames as float64 would need four times the memory.
        for y in range(0, shape[0], _ROWS):
            part = slice(y, y + _ROWS)
            rows = np.stack([frame[part] for frame in frames]).astype(np.float64)
            _first_rows(rows, sums.count[part], sums.mean[part], sums.squares[part], sums.off[part])
        return sums

    def add(self, image: NDArray) -> None:
        _add(
            np.ascontiguousarray(image).reshape(-1),
            self.count.reshape(-1),
            self.mean.reshape(-1),
            self.squares.reshape(-1),
            self.off.reshape(-1),
        )

    def calibration(self, frames: int) -> Calibration:
        # Half of the start of a worker, and needed for a calibration alone.
        from scipy.stats import poisson

        count = np.maximum(self.count, 2).astype(np.float64)
        noise = np.sqrt(self.squares / (count - 1))
        valid = np.isfinite(self.mean) & np.isfinite(noise) & (self.count > frames / 2)
        if not valid.any():
            raise CalibrationError("no pixel has a mean and a noise; are these dark frames?")
        typical = float(np.median(noise[valid]))
        level = float(np.median(self.mean[valid]))
        width = _MAD_TO_SIGMA * float(np.median(np.abs(self.mean[valid] - level)))
        # Photons reach all pixels: what is off there is the measure for each of them.
        usual = float(np.mean(np.minimum(self.off, np.quantile(self.off, 0.99))))
        most = float(poisson.isf(_SURPRISE, usual)) + 0.005 * frames
        bad = ~valid
        if frames < FIRST_FRAMES:
            # So few values may be alike, or off, by chance.
            return self._calibration(valid, bad, level, noise, typical, frames)
        bad |= noise < _FLAT * typical
        bad |= noise > _NOISIEST * typical
        bad |= np.abs(self.mean - level) > _FARTHEST * max(width, typical)
        bad |= self.off > most
        return self._calibration(valid, bad, level, noise, typical, frames)

    def _calibration(
        self,
        valid: NDArray[np.bool_],
        bad: NDArray[np.bool_],
        level: float,
        noise: NDArray[np.float64],
        typical: float,
        frames: int,
    ) -> Calibration:
        return Calibration(
            np.where(valid, self.mean, level).astype(np.float32),
            np.where(valid & (noise > 0), noise, typical).astype(np.float32),
            bad,
            frames,
        )


@numba.njit(nogil=True, cache=True)
def _first_rows(rows, count, mean, squares, off):  # type: ignore[no-untyped-def]
    for y in range(rows.shape[1]):
        one = np.ascontiguousarray(rows[:, y])
        _first(one, count[y], mean[y], squares[y], off[y])


@numba.njit(nogil=True, cache=True)
def _first(rows, count, mean, squares, off):  # type: ignore[no-untyped-def]
    """Start the count of one row of pixels, ``(nx,)`` each, with those of all first frames.

    All loops are along the row: the processor takes several pixels at a time.
    """
    frames, nx = rows.shape
    limit = _medians(rows)
    away = np.empty_like(rows)
    for f in range(frames):
        for x in range(nx):
            away[f, x] = abs(rows[f, x] - limit[x])
    limit = 4 * _MAD_TO_SIGMA * _medians(away) + 2
    total, square = np.zeros(nx), np.zeros(nx)
    count[:] = 0
    for f in range(frames):
        for x in range(nx):
            use = away[f, x] <= limit[x]
            count[x] += use
            total[x] += rows[f, x] if use else 0.0
    for x in range(nx):
        total[x] /= max(count[x], 1)
    for f in range(frames):
        for x in range(nx):
            step = rows[f, x] - total[x]
            square[x] += step * step if away[f, x] <= limit[x] else 0.0
    for x in range(nx):
        mean[x], squares[x], off[x] = total[x], square[x], frames - count[x]


@numba.njit(nogil=True, cache=True)
def _medians(rows):  # type: ignore[no-untyped-def]
    """Return the median over the first axis; NaN where one of the values is NaN."""
    frames, nx = rows.shape
    ordered, missing = rows.copy(), np.zeros(nx, np.bool_)
    for f in range(frames):
        for x in range(nx):
            missing[x] |= math.isnan(rows[f, x])
    # Odd-even transposition sort (Habermann 1972).
    for turn in range(frames):
        for f in range(turn % 2, frames - 1, 2):
            for x in range(nx):
                low, high = ordered[f, x], ordered[f + 1, x]
                ordered[f, x] = low if low < high else high
                ordered[f + 1, x] = high if low < high else low
    half = frames // 2
    medians = ordered[half] if frames % 2 else 0.5 * (ordered[half - 1] + ordered[half])
    return np.where(missing, np.nan, medians)


@numba.njit(nogil=True, cache=True)
def _add(image, count, mean, squares, off):  # type: ignore[no-untyped-def]
    for i in range(image.size):
        away = np.float64(image[i]) - mean[i]
        n = np.float64(count[i])
        # The rms of so few values may be too small by chance; 1 ADU is what rounding can do.
        limit = _CLIP * math.sqrt(squares[i] / max(n - 1, 1.0)) + 1
        if abs(away) <= limit:
            n += 1
            count[i] += 1
            step = away / n
            mean[i] += step
            squares[i] += away * (away - step)
        else:
            off[i] += 1
