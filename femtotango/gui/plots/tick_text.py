"""The numbers at the ticks of an axis."""

import math

_SMALL, _LARGE = 1e-3, 1e6
"""Numbers outside of these have an exponent."""


def tick_text(value: float, step: float, largest: float) -> str:
    """Write the number at a tick, with the digits that tell it from its neighbours.

    Args:
        value: of this tick.
        step: between two ticks.
        largest: of all ticks, as absolute value.
    """
    if value == 0 or not step > 0 or not math.isfinite(value):
        return f"{value:g}"
    # Ticks are at multiples of 1, 2, 2.5 and 5: one digit more than the step's own.
    decimals = 1 - math.floor(math.log10(step))
    if _SMALL <= largest < _LARGE:
        text = f"{value:.{max(0, decimals)}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    digits = max(0, decimals + math.floor(math.log10(abs(value))))
    mantissa, _, exponent = f"{value:.{digits}e}".partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{mantissa}e{int(exponent)}"
