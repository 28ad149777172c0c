"""How often a test repeats what may go wrong only now and then."""

import os

THOROUGH = "FEMTOTANGO_THOROUGH"
"""Environment variable: anything but empty asks for the many repeats of `make faults`."""


def repeats(usual: int, thorough: int) -> int:
    """Return how many times to try: fewer for each change, many before a beam time."""
    return thorough if os.environ.get(THOROUGH) else usual
