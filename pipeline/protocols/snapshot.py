"""Many small values in one array, so that a client reads them in one request and consistently.

Layout: 8 bytes little-endian length of a JSON header, the header, then the arrays' bytes.
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

SNAPSHOT = "snapshot"
"""Published dataset: all but full image and curves, packed into one array (`pack`)."""

CURVES = "curves"
"""Published dataset: ROI curves and their axis, packed into one array."""

IMAGE = "image"

EXCLUDED_FROM_SNAPSHOT = (SNAPSHOT, CURVES, IMAGE, "accumulated", "roi_means", "step_means", "x")

Packable = int | float | str | list[str] | NDArray[Any]


class WireError(ValueError):
    """Bytes that were not made by `pack`."""


def pack(values: Mapping[str, Any]) -> NDArray[np.uint8]:
    """Pack numbers, texts, lists of texts and numeric arrays.

    Args:
        values: by name; arrays may have any shape.

    Returns:
        ``(n,) uint8``.
    """
    header: dict[str, Any] = {}
    blocks: list[bytes] = []
    offset = 0
    for name, value in values.items():
        if isinstance(value, bool | int | float | str | list):
            header[name] = value
            continue
        array = np.asarray(value)
        array = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        header[name] = {"dtype": array.dtype.str, "shape": array.shape, "offset": offset}
        blocks.append(array.tobytes())
        offset += array.nbytes
    text = json.dumps(header).encode()
    data = b"".join([len(text).to_bytes(8, "little"), text, *blocks])
    return np.frombuffer(data, np.uint8)


def unpack(data: bytes) -> dict[str, Any]:
    """Undo `pack`.

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


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the leaves of a published tree by path, attributes and excluded names left out."""
    leaves: dict[str, Any] = {}
    for name, value in tree.items():
        if name.endswith("_attrs") or (not prefix and name in EXCLUDED_FROM_SNAPSHOT):
            continue
        if isinstance(value, Mapping):
            leaves.update(flatten(value, f"{prefix}{name}/"))
        else:
            leaves[prefix + name] = value
    return leaves
