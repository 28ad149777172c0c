"""What an entry of the journal holds, as bytes: values of our own classes and arrays.

Entries are pickled, big arrays beside the pickle and not copied. Only our own classes, arrays and
plain containers are accepted when they are read, so that no entry can run anything else.
"""

import hashlib
import importlib
import io
import pickle
import struct
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

_BESIDE = 1 << 16
"""Arrays of at least so many bytes are written beside the pickle."""
_COUNT = struct.Struct("<I")
_LENGTH = struct.Struct("<Q")
_ALLOWED = {
    "builtins": {"set", "frozenset", "slice", "complex", "bytearray"},
    "collections": {"deque", "OrderedDict", "defaultdict"},
    "numpy": {"dtype", "ndarray"},
    "numpy._core.multiarray": {"_reconstruct", "scalar"},
    "numpy._core.numeric": {"_frombuffer"},
    "numpy.core.multiarray": {"_reconstruct", "scalar"},
    "numpy.core.numeric": {"_frombuffer"},
}
_OURS = "pipeline"


class BadContent(Exception):
    """An entry whose content cannot be used."""


def dump(value: Any) -> list[bytes | memoryview]:
    """Return the pieces of an entry; big arrays are not copied, so write it before they change."""
    beside: list[memoryview] = []

    def keep(buffer: pickle.PickleBuffer) -> bool:
        raw = buffer.raw()
        if raw.nbytes < _BESIDE:
            return True
        beside.append(raw)
        return False

    pickled = pickle.dumps(value, protocol=5, buffer_callback=keep)
    lengths = [len(pickled), *(raw.nbytes for raw in beside)]
    head = _COUNT.pack(len(lengths)) + b"".join(map(_LENGTH.pack, lengths))
    return [head, pickled, *beside]


def load(content: memoryview, writable: bool = False) -> Any:
    """Return what `dump` was given.

    Args:
        content: of an entry.
        writable: big arrays can be changed; else they stay in the content's memory.

    Raises:
        BadContent: it names what is not allowed, or cannot be read.
    """
    try:
        (count,) = _COUNT.unpack_from(content)
        place = _COUNT.size + count * _LENGTH.size
        pieces: list[memoryview] = []
        for i in range(count):
            (length,) = _LENGTH.unpack_from(content, _COUNT.size + i * _LENGTH.size)
            pieces.append(content[place : place + length])
            place += length
        beside = [bytearray(piece) if writable else piece for piece in pieces[1:]]
        return _Unpickler(pieces[0], beside).load()
    except BadContent:
        raise
    except Exception as error:
        raise BadContent(f"an entry cannot be read ({type(error).__name__}: {error})") from error


class _Unpickler(pickle.Unpickler):
    def __init__(self, pickled: memoryview, beside: Sequence[memoryview | bytearray]) -> None:
        super().__init__(io.BytesIO(pickled), buffers=beside)

    def find_class(self, module: str, name: str) -> Any:
        if name in _ALLOWED.get(module, ()):
            return super().find_class(module, name)
        if module.partition(".")[0] == _OURS:
            found = getattr(importlib.import_module(module), name, None)
            if isinstance(found, type) and found.__module__ == module:
                return found
        raise BadContent(f"an entry names {module}.{name}, which does not belong there")


@cache
def fingerprint() -> bytes:
    """Return 32 bytes that tell which programs can read the entries: all that they are made of."""
    root = Path(__file__).parents[1]
    rooms = ("model", "protocols", "photons", "reducer")
    digest = hashlib.sha256()
    for source in sorted(path for room in rooms for path in (root / room).rglob("*.py")):
        digest.update(source.read_bytes())
    return digest.digest()
