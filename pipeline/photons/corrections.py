"""What is subtracted from the frames of a camera and which pixels are left out, from its files."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.files.atomic import FileError
from pipeline.files.mask_file import read_mask
from pipeline.frames.levels import level_for_sums, level_of, noisy_pixels
from pipeline.model.cameras import CAMERAS
from pipeline.model.correction_files import (
    NO_CORRECTIONS,
    CorrectionFile,
    Corrections,
    digest_of,
)
from pipeline.photons.calibration import Calibration, CalibrationError
from pipeline.photons.calibration_file import read_calibration

_AGAIN = 5.0
"""A file that cannot be used is looked at again after so long [s]."""
_KEPT = 8
"""Cameras and shapes whose levels are kept."""

Shape = tuple[int, int]
_T = TypeVar("_T")


class BadCorrection(Exception):
    """A dark level or a mask that cannot be used; the text says why."""


@dataclass(frozen=True)
class Levels:
    """What is done to the frames of one camera."""

    corrections: Corrections = NO_CORRECTIONS
    """Those that are in force: what could not be read is not."""
    masked: NDArray[np.bool_] | None = None
    """``(ny, nx)``; None: no pixel is left out."""
    level: NDArray[np.float32] | None = None
    """``(ny, nx)`` what is subtracted [ADU raw], infinite where masked; None: the background."""
    for_sums: NDArray[np.int32] | NDArray[np.float32] | None = None
    """The same, of integers where it is whole."""


NOTHING = Levels()


class _Known(Generic[_T]):
    """The newest few of what was read; what had a problem is to be read again after a while."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._found: dict[tuple[object, ...], tuple[_T, float]] = {}

    def get(self, key: tuple[object, ...]) -> tuple[_T] | None:
        """Return what is known, in a tuple; None: it has to be read."""
        found = self._found.get(key)
        return (found[0],) if found is not None and self._clock() < found[1] else None

    def is_sound(self, key: tuple[object, ...]) -> bool:
        """Say whether what was put there stays: it will not be read again."""
        return self._found[key][1] == math.inf

    def put(self, key: tuple[object, ...], value: _T, is_sound: bool) -> None:
        """Keep what was read.

        Args:
            key: it is asked for by.
            value: what was read.
            is_sound: nothing was wrong with it.
        """
        while len(self._found) >= _KEPT:
            del self._found[next(iter(self._found))]
        self._found[key] = value, math.inf if is_sound else self._clock() + _AGAIN


class CorrectionLoader:
    """Reads the files when they are asked for the first time, and keeps what is in them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._levels: _Known[Levels] = _Known(clock)
        self._valid: _Known[NDArray[np.bool_] | None] = _Known(clock)
        self._unsound: set[str] = set()
        """Cameras whose frames are taken without a file that is wanted."""

    @property
    def are_sound(self) -> bool:
        """True when no file had a problem: none is read for frames like those before."""
        return not self._unsound

    def is_sound(self, stream: str) -> bool:
        """Say the same of the files of one camera."""
        return stream not in self._unsound

    def levels(
        self, stream: str, shape: Shape, corrections: Corrections, background: float
    ) -> tuple[Levels, tuple[str, ...]]:
        """Return what is done to frames of a camera, and what cannot be used.

        What cannot be used is said once in a while, and the frames are taken without it.

        Args:
            stream: of the camera.
            shape: of its frames.
            corrections: that are wanted.
            background: uniform dark level [ADU raw].
        """
        self._unsound.discard(stream)
        if corrections == NO_CORRECTIONS:
            return NOTHING, ()
        key = (stream, shape, corrections, background)
        if (known := self._levels.get(key)) is not None:
            if not self._levels.is_sound(key):
                self._unsound.add(stream)
            return known[0], ()
        counting = CAMERAS[stream].photon_counting
        dark, problems = None, []
        used = corrections
        try:
            dark = None if used.dark is None else read_dark(used.dark, shape)
        except BadCorrection as error:
            used = replace(used, dark=None, mask_noise=0.0)
            problems.append(f"{stream}: the uniform Background is used: {error}")
        try:
            masked = None if used.mask is None else read_mask_of(used.mask, shape)
        except BadCorrection as error:
            masked, used = None, replace(used, mask=None)
            problems.append(f"{stream}: no mask is used: {error}")
        found = _levels(used, dark, masked, background, shape, counting)
        self._levels.put(key, found, is_sound=not problems)
        if problems:
            self._unsound.add(stream)
        return found, tuple(problems)

    def valid(
        self, stream: str, shape: Shape, corrections: Corrections
    ) -> tuple[NDArray[np.bool_] | None, tuple[str, ...]]:
        """Return which pixels are not masked, ``(ny, nx)``, and what cannot be used.

        None: all are, or a file cannot be used, which is said once in a while.

        Args:
            stream: of the camera.
            shape: of its frames.
            corrections: that were in force.
        """
        key = (stream, shape, corrections)
        if (known := self._valid.get(key)) is not None:
            return known[0], ()
        dark = masked = None
        problems: tuple[str, ...] = ()
        try:
            if corrections.mask is not None:
                masked = read_mask_of(corrections.mask, shape)
            if corrections.dark is not None and corrections.mask_noise > 0:
                dark = read_dark(corrections.dark, shape)
            masked = _masked(corrections, dark, masked)
        except BadCorrection as error:
            masked, problems = None, (f"Masked pixels of {stream} are shown as 0: {error}",)
        valid = None if masked is None else ~masked
        self._valid.put(key, valid, is_sound=not problems)
        return valid, problems


def read_dark(file: CorrectionFile, shape: Shape) -> Calibration:
    """Return what a file with a dark level says.

    Raises:
        BadCorrection: it cannot be read, is another one than was meant, or of another shape.
    """
    try:
        found = read_calibration(Path(file.path))
    except (FileError, CalibrationError) as error:
        raise BadCorrection(str(error)) from error
    _check(file, "dark level", found.shape, shape, dark_digest(found))
    return found


def dark_digest(calibration: Calibration) -> str:
    """Return what tells a dark level from all others."""
    return digest_of(calibration.offset, calibration.noise)


def read_mask_of(file: CorrectionFile, shape: Shape) -> NDArray[np.bool_]:
    """Return what a file with a mask says.

    Raises:
        BadCorrection: it cannot be read, is another one than was meant, or of another shape.
    """
    try:
        found = read_mask(file.path)
    except FileError as error:
        raise BadCorrection(str(error)) from error
    _check(file, "mask", (found.shape[0], found.shape[1]), shape, digest_of(found))
    return found


def _check(file: CorrectionFile, what: str, found: Shape, shape: Shape, digest: str) -> None:
    if found != shape:
        raise BadCorrection(
            f"{file.path}: a {what} of {found[0]}×{found[1]} pixels does not fit frames of "
            f"{shape[0]}×{shape[1]}; take one of the same area of interest."
        )
    if file.digest and file.digest != digest:
        raise BadCorrection(
            f"{file.path}: there is another {what} now than when it was loaded; load it again."
        )


def _masked(
    corrections: Corrections, dark: Calibration | None, masked: NDArray[np.bool_] | None
) -> NDArray[np.bool_] | None:
    if dark is None or corrections.mask_noise <= 0:
        return masked
    noisy = noisy_pixels(dark.noise, corrections.mask_noise)
    return noisy if masked is None else masked | noisy


def _levels(
    used: Corrections,
    dark: Calibration | None,
    masked: NDArray[np.bool_] | None,
    background: float,
    shape: Shape,
    counting: bool,
) -> Levels:
    masked = _masked(used, dark, masked)
    if counting or (dark is None and masked is None):
        return Levels(used, masked)
    level = level_of(None if dark is None else dark.offset, masked, background, shape)
    return Levels(used, masked, level, level_for_sums(level))
