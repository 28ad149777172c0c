"""Which files the dark levels and the masks of the cameras come from.

A file is named with a digest of what is in it, so that a file that has changed meanwhile is noticed
and never used in the place of the one that was meant.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.model.cameras import check_camera

_DIGITS = 16
_LONGEST = 500
"""Characters of a path; a photon file has room for two."""
_HEXADECIMAL = frozenset("0123456789abcdef")
_FORBIDDEN = frozenset("\"'\\")


class CorrectionFileError(ValueError):
    """A text that names no files; says what is accepted."""


@dataclass(frozen=True)
class CorrectionFile:
    """A file with the dark level or the mask of one camera."""

    path: str
    """Absolute, as workers and reducer find it."""
    digest: str = ""
    """Of what is in it, see `digest_of`; empty: whatever is there."""

    def as_dict(self) -> dict[str, str]:
        """Return it as it stands in JSON."""
        return {"file": self.path, **({"sha256": self.digest} if self.digest else {})}


@dataclass(frozen=True)
class Corrections:
    """What is done to the frames of a camera, beside background and threshold."""

    dark: CorrectionFile | None = None
    """None: the uniform background."""
    mask: CorrectionFile | None = None
    mask_noise: float = 0.0
    """Pixels of the dark are masked above so many times its median noise; 0: none are."""

    def as_text(self) -> str:
        """Return it as JSON, which `parse_corrections` reads; nothing at all: an empty text."""
        return _text(self)

    @property
    def masks(self) -> bool:
        """True when pixels are left out."""
        return self.mask is not None or (self.dark is not None and self.mask_noise > 0)


NO_CORRECTIONS = Corrections()


@lru_cache(maxsize=64)
def _text(corrections: Corrections) -> str:
    if corrections == NO_CORRECTIONS:
        return ""
    files = {"dark": corrections.dark, "mask": corrections.mask}
    named = {name: file.as_dict() for name, file in files.items() if file is not None}
    return json.dumps({**named, "mask_noise": corrections.mask_noise}, ensure_ascii=False)


@lru_cache(maxsize=64)
def parse_corrections(text: str) -> Corrections:
    """Return what `Corrections.as_text` was made of."""
    if not text:
        return NO_CORRECTIONS
    values = json.loads(text)
    files = {
        name: CorrectionFile(values[name]["file"], values[name].get("sha256", ""))
        for name in ("dark", "mask")
        if name in values
    }
    return Corrections(files.get("dark"), files.get("mask"), values["mask_noise"])


def digest_of(*arrays: NDArray[Any]) -> str:
    """Return what tells the contents of a file: the first digits of their SHA-256."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.shape} {array.dtype.str}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:_DIGITS]


@lru_cache(maxsize=64)
def parse_files(text: str) -> Mapping[str, CorrectionFile]:
    """Read the files by camera from JSON; empty text: there are none.

    Raises:
        CorrectionFileError: it is no such object, a camera is not known or a path cannot be used.
    """
    if not text.strip():
        return {}
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CorrectionFileError(f"{text[:80]!r} is not JSON ({error}).") from error
    if not isinstance(raw, dict):
        raise CorrectionFileError(
            f'{text[:80]!r}: expected {{"camera": {{"file": path, "sha256": digest}}, …}}.'
        )
    return {_camera(name): _file(name, value) for name, value in raw.items()}


def format_files(files: Mapping[str, CorrectionFile]) -> str:
    """Write files as the JSON that `parse_files` reads; none: an empty text."""
    if not files:
        return ""
    named = {camera: files[camera].as_dict() for camera in sorted(files)}
    return json.dumps(named, ensure_ascii=False)


def normal_files(text: str) -> str:
    """Return the text in its normal form; raises as `parse_files`."""
    return format_files(parse_files(text))


def _camera(name: str) -> str:
    try:
        found = check_camera(name)
    except ValueError as error:
        raise CorrectionFileError(str(error)) from error
    if not found:
        raise CorrectionFileError("A file without a camera: give the stream of its camera.")
    return found


def _file(camera: str, value: Any) -> CorrectionFile:
    given = {"file": value} if isinstance(value, str) else value
    if not isinstance(given, dict) or not isinstance(given.get("file"), str):
        raise CorrectionFileError(f'{camera}: {value!r}: expected {{"file": path}}.')
    path, digest = given["file"], given.get("sha256", "")
    usable = path.startswith("/") and path.isprintable() and not _FORBIDDEN & set(path)
    if not usable or len(path) > _LONGEST:
        raise CorrectionFileError(
            f"{camera}: {path[:80]!r}: expected an absolute path of at most {_LONGEST} characters, "
            "without quotes and backslashes."
        )
    if not isinstance(digest, str) or not set(digest) <= _HEXADECIMAL or len(digest) > _DIGITS:
        raise CorrectionFileError(f"{camera}: {digest!r} is no digest of a file.")
    return CorrectionFile(path, digest)
