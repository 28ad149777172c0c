"""What pixels are, 64 of them at a time as the bits of a word.

A processor compares many pixels at once and gets one bit for each; numba's loops would turn these
into a byte for each pixel, write them to memory and read them again. So the comparison is written
here as the compiler's own vector instructions, and has no Python twin.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.core.errors import TypingError
from numba.extending import intrinsic
from numpy.typing import NDArray

PIXELS = 64
"""Of a word; the first one is the lowest bit."""
_WORD = ir.IntType(PIXELS)
_compiled: Any = intrinsic
"""Makes functions that only compiled code can call, and without the first argument."""


def words_of(flags: NDArray[Any]) -> NDArray[np.uint64]:
    """Return flags as bits, in as many words as needed.

    Args:
        flags: of any shape; what is not 0 becomes a bit that is set.
    """
    packed = np.packbits(flags.reshape(-1) != 0, bitorder="little")
    missing = -len(packed) % (PIXELS // 8)
    return np.pad(packed, (0, missing)).view("<u8").astype(np.uint64, copy=False)


def _number(array: Any) -> Any:
    """Return the type of an array's elements.

    Raises:
        TypingError: they do not lie side by side.
    """
    if array.ndim != 1 or array.layout != "C":
        raise TypingError(f"{array} is not one row of elements side by side")
    return array.dtype


def _load(context: Any, builder: Any, array: Any, value: Any, start: Any) -> Any:
    """Return 64 elements of an array as a vector."""
    vector = ir.VectorType(context.get_data_type(array.dtype), PIXELS)
    data = context.make_array(array)(context, builder, value).data
    loaded = builder.load(builder.bitcast(builder.gep(data, [start]), vector.as_pointer()))
    loaded.align = 1
    return loaded


def _spread(builder: Any, value: Any) -> Any:
    """Return a vector that holds 64 times the same."""
    nothing = ir.Constant(ir.VectorType(value.type, PIXELS), ir.Undefined)
    index = ir.IntType(32)
    one = builder.insert_element(nothing, value, index(0))
    return builder.shuffle_vector(one, nothing, ir.VectorType(index, PIXELS)([0] * PIXELS))


def _at_least(builder: Any, number: Any, values: Any, first: Any) -> Any:
    """Compare two vectors as numba compares two numbers of a type."""
    if isinstance(number, types.Float):
        return builder.fcmp_ordered(">=", values, first)
    return (builder.icmp_signed if number.signed else builder.icmp_unsigned)(">=", values, first)


@_compiled
def filled_and_counting(typingctx: Any, pixels: Any, start: Any) -> Any:
    """Return which of 64 pixels are not 0, and which are neither negative, NaN nor infinite.

    Args:
        typingctx: of the compiler.
        pixels: ``(n,)`` contiguous, of any number dtype; 64 of them are there from `start` on.
        start: number of the first one.
    """
    number = _number(pixels)

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        value = _load(context, builder, signature.args[0], *args)
        if isinstance(number, types.Float):
            zero = _spread(builder, value.type.element(0.0))
            infinite = _spread(builder, value.type.element(float("inf")))
            filled = builder.fcmp_unordered("!=", value, zero)
            counting = builder.and_(
                _at_least(builder, number, value, zero), builder.fcmp_ordered("<", value, infinite)
            )
        else:
            zero = _spread(builder, value.type.element(0))
            filled = builder.icmp_unsigned("!=", value, zero)
            counting = _at_least(builder, number, value, zero)
        words = [builder.bitcast(flags, _WORD) for flags in (filled, counting)]
        return context.make_tuple(builder, signature.return_type, words)

    return types.UniTuple(types.uint64, 2)(pixels, types.intp), build


@_compiled
def at_least(typingctx: Any, pixels: Any, start: Any, first: Any) -> Any:
    """Return which of 64 pixels are at least `first`.

    Args:
        typingctx: of the compiler.
        pixels: as in `filled_and_counting`.
        start: number of the first one.
        first: of the pixels' dtype.
    """
    number = _number(pixels)

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        value = _load(context, builder, signature.args[0], *args[:2])
        flags = _at_least(builder, number, value, _spread(builder, args[2]))
        return builder.bitcast(flags, _WORD)

    return types.uint64(pixels, types.intp, number), build


@_compiled
def left_at_least(typingctx: Any, pixels: Any, level: Any, start: Any, first: Any) -> Any:
    """Return which of 64 pixels are at least `first` above their levels.

    Args:
        typingctx: of the compiler.
        pixels: as in `filled_and_counting`.
        level: ``(n,) float32`` is subtracted; in float32, but of float64 pixels in float64.
        start: number of the first one.
        first: of the dtype of the differences.
    """
    number = _number(pixels)
    _number(level)
    difference = number if number == types.float64 else types.float32

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        of_pixels, of_level = signature.args[:2]
        values = _load(context, builder, of_pixels, args[0], args[2])
        levels = _load(context, builder, of_level, args[1], args[2])
        vector = ir.VectorType(context.get_data_type(difference), PIXELS)
        if not isinstance(number, types.Float):
            values = (builder.sitofp if number.signed else builder.uitofp)(values, vector)
        elif difference == types.float64:
            levels = builder.fpext(levels, vector)
        left = builder.fsub(values, levels)
        flags = _at_least(builder, difference, left, _spread(builder, args[3]))
        return builder.bitcast(flags, _WORD)

    return types.uint64(pixels, level, types.intp, difference), build


@_compiled
def lowest_bit(typingctx: Any, word: Any) -> Any:
    """Return the number of the lowest bit that is set; one is.

    Args:
        typingctx: of the compiler.
        word: uint64.
    """

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), build
