"""Arrays, and groups of them, that are made when somebody reads them."""

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

V = TypeVar("V")


class LazyMapping(Mapping[str, V]):
    """Makes what a name stands for whenever it is asked for."""

    def __init__(self, names: tuple[str, ...], make: Callable[[str], V]) -> None:
        self._names = names
        self._make = make

    def __getitem__(self, name: str) -> V:
        if name not in self._names:
            raise KeyError(name)
        return self._make(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


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
