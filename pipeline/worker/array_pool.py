"""Big arrays, used again: a fresh 68 MB block costs more in page faults than its filling."""

from collections import defaultdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.protocols.batch import PartialSum

_KEPT = 2
"""Arrays of one kind that are kept: one is filled while another one travels."""


class ArrayPool:
    """Gives out arrays of zeros, and takes back those that nobody needs any more."""

    def __init__(self) -> None:
        self._free: defaultdict[tuple[Any, ...], list[tuple[NDArray[Any], bool]]]
        self._free = defaultdict(list)

    def take(self, shape: tuple[int, int], dtype: np.dtype[Any]) -> NDArray[Any]:
        """Return an array of zeros."""
        free = self._free[shape, dtype]
        if not free:
            return np.zeros(shape, dtype)
        array, is_zero = free.pop()
        if not is_zero:
            array.fill(0)
        return array

    def give_back(self, array: NDArray[Any], is_zero: bool = False) -> None:
        """Take back an array that nobody uses any more.

        Args:
            array: of any kind.
            is_zero: it is 0 everywhere.
        """
        key = (array.shape, array.dtype)
        # One kind of frame at a time: what another camera left behind is dropped.
        for other in [k for k in self._free if k[0] != array.shape]:
            del self._free[other]
        if len(self._free[key]) < _KEPT:
            self._free[key].append((array, is_zero))

    def give_back_sum(self, partial: PartialSum) -> None:
        """Take back the arrays of a partial sum that has been delivered."""
        if isinstance(partial.image, np.ndarray):
            self.give_back(partial.image)
