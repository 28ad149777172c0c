"""Arrays that are made when somebody reads them."""

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray


class LazyArray:
    """An array that is made when somebody reads it, once."""

    def __init__(self, make: Callable[[], NDArray[Any]], lock: threading.RLock) -> None:
        self._make = make
        self._lock = lock
        self._array: NDArray[Any] | None = None

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        with self._lock:
            if self._array is None:
                self._array = self._make()
        return np.array(self._array, dtype=dtype, copy=copy)


class LiveArray:
    """An array that is made anew whenever somebody reads it."""

    def __init__(self, make: Callable[[], NDArray[Any]]) -> None:
        self._make = make

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self._make(), dtype=dtype, copy=copy)
