"""Recorded streams that lie beside the project, or in $FEMTOTANGO_CAPTURES."""

import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from dranspose.replay import get_internals

from pipeline.protocols import stins

LAB6_PILATUS = "lab6_pilatus.cbors.gz"
LAB6_SARDANA = "lab6_sardana.cbors"
BALOR_SARDANA = "balor_sardana.cbors"


def capture(name: str) -> Path:
    """Return the path of a recorded stream; skip the test when it is not there."""
    beside = Path(__file__).parents[2].parent / "shared" / "captures"
    folder = Path(os.environ.get("FEMTOTANGO_CAPTURES") or beside)
    path = folder / name
    if not path.is_file():
        pytest.skip(f"capture {path} is not there; set FEMTOTANGO_CAPTURES")
    return path


@cache
def lab6_sum() -> np.ndarray:
    """Return the sum of the LaB6 frames' good pixels, NaN where no frame has one."""
    total, good = np.zeros(1), np.zeros(1, bool)
    for message in get_internals(capture(LAB6_PILATUS)):
        parsed = stins.parse(message.streams["pilatus"].frames)
        if isinstance(parsed, stins.StinsFrame):
            image = parsed.image.astype(np.float64)
            total = total + np.where(image >= 0, image, 0.0)
            good = good | (image >= 0)
    return np.where(good, total, np.nan)
