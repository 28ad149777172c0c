"""Many small values in one array, so that a client reads them in one request and consistently.

Layout: 8 bytes little-endian length of a JSON header, the header, then the arrays' bytes.
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


class WireError(ValueError):
    """Bytes that do not hold what the reader expects."""


def pack(values: Mapping[str, Any]) -> NDArray[np.uint8]:
    """Pack numbers, texts, lists of texts and numeric arrays.

    Args:
        values: by name; arrays may have any shape.

    Returns:
        ``(n,) uint8``.
    """
    header: dict[str, Any] = {}
    blocks: list[tuple[int, NDArray[Any]]] = []
    packed: dict[int, dict[str, Any]] = {}
    """By identity of an array: one that stands there twice is packed once."""
    offset = 0
    for name, value in values.items():
        if isinstance(value, bool | int | float | str | list):
            header[name] = value
            continue
        if id(value) in packed:
            header[name] = packed[id(value)]
            continue
        array = np.asarray(value)
        array = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        header[name] = {"dtype": array.dtype.str, "shape": array.shape, "offset": offset}
        packed[id(value)] = header[name]
        blocks.append((offset, array))
        offset += array.nbytes
    text = json.dumps(header).encode()
    head = len(text).to_bytes(8, "little") + text
    # Images are most of it: each is copied once.
    data = np.empty(len(head) + offset, np.uint8)
    data[: len(head)] = np.frombuffer(head, np.uint8)
    for place, array in blocks:
        start = len(head) + place
        data[start : start + array.nbytes] = array.reshape(-1).view(np.uint8)
    data.flags.writeable = False
    return data


def unpack(data: bytes) -> dict[str, Any]:
    """Undo `pack`; arrays show the bytes that are given.

    Raises:
        WireError: the bytes are cut off or no packed values.
    """
    try:
        start = 8 + int.from_bytes(data[:8], "little")
        header = json.loads(data[8:start])
        return {name: _value(value, data, start) for name, value in header.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WireError(f"{len(data)} bytes are no packed values: {error}") from error


def _value(value: Any, data: bytes, start: int) -> Any:
    if not isinstance(value, dict):
        return value
    shape = tuple(value["shape"])
    count = int(np.prod(shape, dtype=np.int64))
    array = np.frombuffer(data, value["dtype"], count, start + value["offset"])
    return array.reshape(shape)
