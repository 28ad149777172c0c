"""The reducer: what it publishes, value by value and array by array."""

import base64
import math
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from femtotango.dranspose_client.http import LONG, Http, timeout_of
from femtotango.errors import BadReply

Scalar = int | float | str
"""What the reducer publishes as a single value."""

_BASE_TYPE = re.compile(r"H5T_(IEEE|STD)_([FIU])(\d+)(LE|BE)")


class Reducer(Http):
    """The reducer's published tree.

    Every method raises `Unreachable` without an answer, and `BadReply` for one that is an error or
    makes no sense; what is not published is an error.
    """

    def __init__(self, url: str) -> None:
        super().__init__("reducer", url)

    def scalar(self, path: str) -> Scalar:
        """Return a published number or text.

        Args:
            path: as published, ``health/frames``.
        """
        raw = self._json(self._ask("GET", _dataset(path) + "/value"))
        value = raw.get("value") if isinstance(raw, dict) else None
        if not isinstance(value, Scalar):
            raise BadReply(f"The reducer at {self.url} publishes no scalar {path}.")
        return value

    def data(self, path: str, patience: float | None = None) -> bytes:
        """Return the bytes of a published array.

        Args:
            path: as published, ``snapshot``.
            patience: how long the answer may take [s]; None: as for a large one.
        """
        timeout = LONG if patience is None else timeout_of(patience)
        return self._checked(self._ask("GET", _dataset(path) + "/value", timeout=timeout))

    def shape_and_type(self, path: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
        """Return shape and dtype of a published array."""
        raw = self._json(self._ask("GET", _dataset(path)))
        try:
            match = _BASE_TYPE.fullmatch(raw["type"]["base"])
            if match is None:
                raise BadReply(
                    f"The reducer at {self.url} publishes {path} as {raw['type']['base']}, which "
                    "is no type of an array of numbers."
                )
            order = "<" if match[4] == "LE" else ">"
            dtype = np.dtype(f"{order}{match[2].lower()}{int(match[3]) // 8}")
            return tuple(int(n) for n in raw["shape"]["dims"]), dtype
        except (KeyError, TypeError, ValueError) as error:
            raise BadReply(f"The reducer at {self.url} publishes no array {path}.") from error

    def array(
        self, path: str, region: tuple[slice, slice] | None = None, tries: int = 3
    ) -> NDArray[Any]:
        """Return a published array, or a rectangle of a 2-D one.

        Args:
            path: as published, ``image``.
            region: ``(y, x)`` slices with explicit bounds inside of the array.
            tries: how often to ask: shape and bytes come in two requests, and the array may
                change between them.
        """
        for _ in range(tries):
            shape, dtype = self.shape_and_type(path)
            select: dict[str, str] = {}
            if region is not None:
                bounds = ",".join(f"{s.start}:{s.stop}" for s in region)
                select["select"] = f"[{bounds}]"
                shape = tuple(s.stop - s.start for s in region)
            reply = self._ask("GET", _dataset(path) + "/value", params=select, timeout=LONG)
            content = self._checked(reply)
            if len(content) == math.prod(shape) * dtype.itemsize:
                return np.frombuffer(content, dtype).reshape(shape)
        raise BadReply(f"The reducer at {self.url} changed the shape of {path} {tries} times.")


def _dataset(path: str) -> str:
    """Return the path of a published value in HDF5's REST interface."""
    return "/datasets/d-h5dict-" + base64.b16encode(f"/{path}".encode()).decode()
