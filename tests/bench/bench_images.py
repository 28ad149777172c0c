"""How long a client takes to read a Balor's image, beside a plain read of the same array."""

import io
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import numpy as np
from feeding import DeviceStack, camera_frames
from section import Section, markdown_table
from tango.server import Device, attribute
from tango.test_context import DeviceTestContext

from pipeline.model.cameras import CAMERAS

STREAM = "andor3_balor"
_SHAPE = CAMERAS[STREAM].shape
_ROUNDS = 9
_OF_PLAIN = 1.2
_REGION = 1000
_REGION_TIME = 25e-3
"""[s]"""
_PATIENCE = 60.0


class PlainImage(Device):
    """A device with one array, as large as the Balor's image."""

    def init_device(self) -> None:
        """Make the array once."""
        super().init_device()
        self._image = np.arange(_SHAPE[0] * _SHAPE[1], dtype=np.float32).reshape(_SHAPE)

    @attribute(dtype=((np.float32,),), max_dim_x=_SHAPE[1], max_dim_y=_SHAPE[0])
    def Image(self) -> Any:
        """Return it."""
        return self._image


def run() -> Section:
    """Read the image, a region and the preview in turn with the plain array."""
    frames = camera_frames(STREAM, 2)
    with ExitStack() as exit_stack:
        plain = exit_stack.enter_context(
            DeviceTestContext(PlainImage, process=True, timeout=_PATIENCE)
        )
        plain.set_timeout_millis(int(_PATIENCE * 1e3))
        stack = DeviceStack(STREAM, exit_stack)
        stack.run(frames, 2)
        device = stack.player.device
        image = stack.player.wait_until("AccumulatedImage", lambda image: image is not None)
        region = [1500, 1400, _REGION, _REGION, 1]
        cut = np.load(io.BytesIO(device.GetRegion(region)[1]))
        x, y = region[:2]
        right = [
            abs(float(np.nansum(image, dtype=np.float64)) / frames.sum(2) - 1) < 1e-9,
            np.array_equal(cut, image[y : y + _REGION, x : x + _REGION], equal_nan=True),
        ]
        reads: dict[str, Callable[[], Any]] = {
            "the same array from a plain device": lambda: plain.read_attribute("Image"),
            "AccumulatedImage": lambda: device.read_attribute("AccumulatedImage"),
            f"GetRegion of {_REGION}×{_REGION}": lambda: device.GetRegion(region),
            "PreviewImage": lambda: device.read_attribute("PreviewImage"),
        }
        took = alternate_reads(reads)
    bare, whole, part, _ = took.values()
    times = statistics.median(a / b for a, b in zip(whole, bare, strict=True))
    shortest = statistics.median(part)
    rows = [
        [name, *(f"{1e3 * t:.1f}" for t in (statistics.median(values), min(values), max(values)))]
        for name, values in took.items()
    ]
    text = (
        f"The sum of a Balor, {_SHAPE[0]}×{_SHAPE[1]} float32, {_ROUNDS} reads each in turn by a "
        "client on the same machine.\n\n" + markdown_table(["ms", "median", "least", "most"], rows)
    )
    demands = [
        ("the image and its region are right", all(right)),
        (
            f"the image takes at most {_OF_PLAIN} times a plain read: {times:.2f}",
            times <= _OF_PLAIN,
        ),
        (
            f"the region takes at most {1e3 * _REGION_TIME:.0f} ms: {1e3 * shortest:.1f} ms",
            shortest <= _REGION_TIME,
        ),
    ]
    figures = {"image, of a plain read": times, "region [ms]": 1e3 * shortest}
    return Section("Reading images", text, demands, figures)


def alternate_reads(reads: dict[str, Callable[[], Any]]) -> dict[str, list[float]]:
    """Return how long each read took, in turn [s]; the first round is not counted."""
    took: dict[str, list[float]] = {name: [] for name in reads}
    for round_number in range(_ROUNDS + 1):
        for name, read in reads.items():
            start = time.monotonic()
            read()
            took[name] += [time.monotonic() - start] if round_number else []
    return took
