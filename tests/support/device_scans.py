"""Small scans of the Pilatus, all of whose pixels are 1, and what the device shows of them."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

FRAME = np.ones((32, 48), np.float32)


def frames(count: int) -> list[NDArray[np.float32]]:
    return [FRAME] * count


def request(**changes: Any) -> str:
    """Return what PrepareScan takes."""
    return json.dumps({"streams": ["pilatus", "sardana"], "steps": 2, "burst": 3, **changes})


def readings(device: Any, *names: str) -> Mapping[str, Any]:
    """Read attributes together."""
    return {reading.name: reading.value for reading in device.read_attributes(list(names))}
