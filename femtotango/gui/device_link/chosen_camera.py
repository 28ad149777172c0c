"""The camera that this window looks at: the one that the device shows, or one of its own choice."""

from collections.abc import Iterable

OF_IMAGE = (
    *("PreviewImage", "FrameCount", "ImageSum", "ImageMax"),
    *("ImageUnit", "ImageWidth", "ImageHeight"),
)
"""Attributes that each camera has of its own, as `FrameCount_pilatus`."""
DETECTOR = "Detector"
_COUNT = "FrameCount"


class ChosenCamera:
    """Which of the device's attributes stand for an image's, while a camera is chosen."""

    def __init__(self) -> None:
        self.name = ""
        """Stream of the camera; empty: the one that the device shows."""

    @property
    def attributes(self) -> tuple[str, ...]:
        """The device's attributes of the chosen camera; none without one."""
        return tuple(map(self.attribute, OF_IMAGE)) if self.name else ()

    def attribute(self, name: str) -> str:
        """Return the device's attribute that stands for this one."""
        return f"{name}_{self.name}" if self.name and name in OF_IMAGE else name

    def as_widgets_know_them(self, names: Iterable[str]) -> frozenset[str]:
        """Return the names of changed attributes without those of other cameras' images."""
        if not self.name:
            return frozenset(names)
        ours = {self.attribute(name): name for name in OF_IMAGE}
        known = {ours.get(name, name) for name in names if name not in (*OF_IMAGE, DETECTOR)}
        # Without a frame of the camera there is no detector.
        return frozenset(known | ({DETECTOR} if _COUNT in known else set()))
