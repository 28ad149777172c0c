"""Camera messages that no camera should send, from a seed."""

import json
import random
from collections.abc import Callable
from typing import Any

import numpy as np

from pipeline.protocols.stins import Message, stins_image

SHAPE = (24, 32)
_IMAGE = np.ones(SHAPE, np.float32)


def malformed(seed: int, number: int) -> Message:
    """Return a message that cannot be used.

    Args:
        seed: of all randomness; the kinds take turns.
        number: of the frame, as far as that can be read.
    """
    rng = random.Random(seed)
    kind = _KINDS[seed % len(_KINDS)]
    return kind(rng, stins_image(number + 1, number, _IMAGE))


def _changed(good: Message, **values: Any) -> Message:
    return [json.dumps({**json.loads(good[0]), **values}).encode(), *good[1:]]


def _truncated(rng: random.Random, good: Message) -> Message:
    return [good[0], good[1][: rng.randrange(len(good[1]))]]


def _oversized(rng: random.Random, good: Message) -> Message:
    return [good[0], good[1] + rng.randbytes(rng.randrange(1, 5000))]


def _wrong_type(rng: random.Random, good: Message) -> Message:
    names = [
        "no",
        "complex128",
        "object",
        "U8",
        "float64",
        "int8",
        "",
        "V4",
        "datetime64",
        "f" * 99,
    ]
    return _changed(good, type=rng.choice(names))


def _wrong_shape(rng: random.Random, good: Message) -> Message:
    shapes = [[], [1], [24, 33], [-24, -32], [0, 0], [2**31, 2**31], [24, 32, 1], [10**30, 1]]
    return _changed(good, shape=rng.choice(shapes))


def _wrong_number(rng: random.Random, good: Message) -> Message:
    return _changed(good, frame=rng.choice([-1, 2**40, None, "a", float("nan"), 1.5, True]))


def _compressed(rng: random.Random, good: Message) -> Message:
    data = rng.randbytes(rng.randrange(200))
    return [_changed(good, compression=rng.choice(["bslz4", "zip", "", "BSLZ4"]))[0], data]


def _random_data(rng: random.Random, good: Message) -> Message:
    return [good[0], rng.randbytes(rng.randrange(1000))]


def _random_header(rng: random.Random, good: Message) -> Message:
    return [rng.randbytes(rng.randrange(200)), *good[1:]]


def _no_object(rng: random.Random, good: Message) -> Message:
    heads = [b"", b"null", b"[]", b"1", b"NaN", b"[" * 5000, b'"image"', b'{"htype": "image"}']
    return [rng.choice(heads), *good[1:]]


def _parts(rng: random.Random, good: Message) -> Message:
    return rng.choice([good[:1], [*good, b"more"], [good[0], b""], [b""], [good[1], good[0]]])


def _unknown(rng: random.Random, good: Message) -> Message:
    return _changed(good, htype=rng.choice(["picture", "", None, 7, "headers", ["image"]]))


_KINDS: tuple[Callable[[random.Random, Message], Message], ...] = (
    _truncated,
    _oversized,
    _wrong_type,
    _wrong_shape,
    _wrong_number,
    _compressed,
    _random_data,
    _random_header,
    _no_object,
    _parts,
    _unknown,
)
