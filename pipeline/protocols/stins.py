"""STINS messages, read and written: JSON header, frames without or with bslz4, series end."""

import json
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import bitshuffle
import numpy as np
from numpy.typing import NDArray

COMPRESSIONS = ("none", "bslz4")

Message = list[bytes]
"""Parts of one ZMQ message."""


MAX_FRAME = 2**32 - 1
"""Files have 32 bits for the number of a frame; a larger one is a broken header."""

MAX_PIXELS = 8192 * 8192
"""No detector of the beamline is larger; a bigger shape is a broken header."""

_BLOCK_BYTES = 8192
_BLOCK_MULTIPLE = 8


class BadFrame(ValueError):
    """A message that cannot be used; the text names what is wrong with it."""


@dataclass(frozen=True)
class StinsHeader:
    """Start of a series."""

    filename: str
    camera: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""
    """Why the camera settings could not be read; empty: they could, or there were none."""


@dataclass(frozen=True)
class StinsFrame:
    """One image."""

    frame: int
    image: NDArray[Any]
    """``(ny, nx)``, read-only, native byte order."""


@dataclass(frozen=True)
class StinsDiscarded:
    """An image that the camera marks as one that is not saved; its pixels are not looked at."""

    frame: int


@dataclass(frozen=True)
class StinsEnd:
    """End of a series."""


def parse(parts: Sequence[Any]) -> StinsHeader | StinsFrame | StinsDiscarded | StinsEnd:
    """Read one message.

    Args:
        parts: its parts, bytes or ZMQ frames.

    Raises:
        BadFrame: the message is truncated, of unknown type, dtype, shape or compression.
    """
    if not parts:
        raise BadFrame("a STINS message without parts")
    head = _json(_bytes(parts[0]), "header")
    kind = head.get("htype")
    if kind == "header":
        camera, problem = _camera(parts)
        return StinsHeader(str(head.get("filename") or ""), camera, problem)
    if kind == "series_end":
        return StinsEnd()
    if kind == "image":
        number = _number(head.get("frame"))
        return (
            StinsDiscarded(number) if head.get("discard") is True else _frame(head, number, parts)
        )
    raise BadFrame(f"unknown STINS message type {kind!r}")


def _bytes(part: Any) -> memoryview:
    return memoryview(getattr(part, "buffer", part))


def _json(data: memoryview, what: str) -> dict[str, Any]:
    try:
        value = json.loads(bytes(data))
    except (ValueError, RecursionError) as error:
        raise BadFrame(f"{what} is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise BadFrame(f"{what} is no JSON object but {type(value).__name__}")
    return value


def _camera(parts: Sequence[Any]) -> tuple[dict[str, Any], str]:
    """Return the camera settings of a header, and why they could not be read."""
    data = _bytes(parts[1]) if len(parts) > 1 else memoryview(b"")
    if not data.nbytes:
        return {}, ""
    try:
        return _json(data, "the header's second part"), ""
    except BadFrame as error:
        return {}, f"camera settings are not known: {error}"


def _number(number: Any) -> int:
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise BadFrame(f"frame number {number!r} is no count")
    if number > MAX_FRAME:
        raise BadFrame(f"frame number {number} is above {MAX_FRAME}: no camera counts so far")
    return number


def _frame(head: Mapping[str, Any], number: int, parts: Sequence[Any]) -> StinsFrame:
    name = f"frame {number}"
    if len(parts) != 2:
        raise BadFrame(f"{name} has {len(parts)} parts instead of header and data")
    shape = _shape(head.get("shape"), name)
    dtype = _dtype(head.get("type"), name)
    data = _bytes(parts[1])
    compression = head.get("compression")
    if compression == "none":
        image = _raw(data, shape, dtype, name)
    elif compression == "bslz4":
        image = _bslz4(data, shape, dtype, name)
    else:
        raise BadFrame(f"{name} has unknown compression {compression!r}: use none or bslz4")
    if not dtype.isnative:
        image = image.astype(dtype.newbyteorder("="))
    if image.dtype == np.float16:
        image = image.astype(np.float32)  # numba has no half precision
    image.flags.writeable = False
    return StinsFrame(number, image)


def _shape(value: Any, name: str) -> tuple[int, int]:
    whole = isinstance(value, list) and all(type(n) is int and n > 0 for n in value)
    if not whole or len(value) != 2:
        raise BadFrame(f"{name} has shape {value!r} instead of [height, width]")
    if value[0] * value[1] > MAX_PIXELS:
        raise BadFrame(f"{name} has shape {value!r}, more than {MAX_PIXELS} pixels")
    return value[0], value[1]


def _dtype(value: Any, name: str) -> np.dtype[Any]:
    try:
        dtype = np.dtype(value) if isinstance(value, str) else None
    except TypeError as error:
        raise BadFrame(f"{name} has unknown type {value!r}") from error
    if dtype is None or dtype.kind not in "iuf" or dtype.itemsize > 8:
        raise BadFrame(f"{name} has type {value!r} instead of an integer or float")
    return dtype


def _raw(data: memoryview, shape: tuple[int, int], dtype: np.dtype[Any], name: str) -> NDArray[Any]:
    expected = shape[0] * shape[1] * dtype.itemsize
    if data.nbytes != expected:
        raise BadFrame(f"{name} holds {data.nbytes} bytes instead of {expected}")
    return np.frombuffer(data, dtype).reshape(shape)


def _bslz4(
    data: memoryview, shape: tuple[int, int], dtype: np.dtype[Any], name: str
) -> NDArray[Any]:
    _check_blocks(data, shape[0] * shape[1], dtype.itemsize, name)
    packed = np.frombuffer(data, np.uint8)
    try:
        return bitshuffle.decompress_lz4(packed, shape, dtype, 0)
    except (RuntimeError, ValueError) as error:
        raise BadFrame(f"{name} cannot be decompressed: {error}") from error


def _check_blocks(data: memoryview, pixels: int, itemsize: int, name: str) -> None:
    # bitshuffle trusts the lengths in the data and reads beyond the end of truncated input.
    block = _BLOCK_BYTES // itemsize // _BLOCK_MULTIPLE * _BLOCK_MULTIPLE
    full, rest = divmod(pixels, block)
    blocks = full + (rest >= _BLOCK_MULTIPLE)
    position, end = 0, data.nbytes
    for _ in range(blocks):
        if position + 4 > end:
            raise BadFrame(f"{name} is cut off after {end} compressed bytes")
        position += 4 + struct.unpack_from(">I", data, position)[0]
    position += pixels % _BLOCK_MULTIPLE * itemsize
    if position != end:
        raise BadFrame(f"{name} holds {end} compressed bytes instead of {position}")


def stins_header(
    message_number: int, filename: str = "", camera: Mapping[str, Any] | None = None
) -> Message:
    """Encode the start of a series.

    Args:
        message_number: counts the detector's messages.
        filename: raw file; empty: live viewing.
        camera: settings, which become a second part.
    """
    parts = [_encode({"htype": "header", "msg_number": message_number, "filename": filename})]
    return parts if camera is None else [*parts, _encode(camera)]


def stins_image(
    message_number: int, frame: int, image: NDArray[Any], compression: str = "none"
) -> Message:
    """Encode one image.

    Args:
        message_number: counts the detector's messages.
        frame: counts the frames of the series, from 0.
        image: ``(ny, nx)`` of any integer or float dtype.
        compression: ``none``, or ``bslz4`` without a header before the blocks.

    Raises:
        ValueError: the compression is unknown.
    """
    if compression not in COMPRESSIONS:
        raise ValueError(f"Compression {compression!r}: use {' or '.join(COMPRESSIONS)}.")
    image = np.ascontiguousarray(image)
    data = bitshuffle.compress_lz4(image) if compression == "bslz4" else image
    shape = (image.shape[0], image.shape[1])
    return stins_packed(message_number, frame, shape, image.dtype, compression, data.tobytes())


def stins_packed(
    message_number: int,
    frame: int,
    shape: tuple[int, int],
    dtype: np.dtype[Any],
    compression: str,
    data: Any,
) -> Message:
    """Encode one image whose bytes are there already.

    Args:
        message_number: counts the detector's messages.
        frame: counts the frames of the series, from 0.
        shape: ``(ny, nx)`` of the image [pixel].
        dtype: of its pixels.
        compression: ``none``, or ``bslz4`` without a header before the blocks.
        data: the bytes, compressed as that says.
    """
    head = {
        "htype": "image",
        "msg_number": message_number,
        "frame": frame,
        "shape": list(shape),
        "type": dtype.name if dtype.isnative else dtype.str,
        "compression": compression,
        "exposure_time": 0.05,
    }
    return [_encode(head), data]


def stins_end(message_number: int) -> Message:
    """Encode the end of a series."""
    return [_encode({"htype": "series_end", "msg_number": message_number})]


def stins_series(
    images: Iterable[NDArray[Any]],
    filename: str = "",
    camera: Mapping[str, Any] | None = None,
    compression: str = "none",
) -> Iterator[Message]:
    """Encode a whole series: header, images, end."""
    yield stins_header(0, filename, camera)
    number = 0
    for frame, image in enumerate(images):
        number = frame + 1
        yield stins_image(number, frame, image, compression)
    yield stins_end(number + 1)


def _encode(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value).encode()
