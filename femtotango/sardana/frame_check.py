"""Compare the frames of a scan with those requested, point by point; pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from femtotango.sardana.running_scan import Prepared

LOST = 2
"""After so many points without any frame the scan is lost for the analysis."""


@dataclass(frozen=True)
class Verdict:
    """What a point's frames mean."""

    warning: str = ""
    excess: bool = False
    """Nobody knows from here on which frames belong to which point."""
    lost: bool = False
    """The analysis will not see the rest of the scan."""


class FrameCheck:
    """Knows which frames belong to which point, and when they do not add up."""

    def __init__(self, prepared: Prepared) -> None:
        self._prepared = prepared
        self._burst = prepared.request.burst
        self._cameras = prepared.request.cameras
        self._frames: Mapping[str, int] = {}
        """Processed frames of each camera at the newest point."""
        self._missing = 0
        self._silent = 0
        self._excess = False
        self._taken = 0
        """Points whose trigger the camera has not missed."""

    def frame_numbers(self, point: int, missed: bool) -> tuple[int, int] | None:
        """Return the first frame number of a point and the one after its last.

        Args:
            point: number of the point, from 0.
            missed: the camera's channel has no value for it.

        Returns:
            None when the camera missed the trigger of the point: it has no frames.
        """
        if self._excess:
            return 0, 0
        if not self._prepared.triggered:
            return point * self._burst, (point + 1) * self._burst
        if missed:
            return None
        self._taken += 1
        return (self._taken - 1) * self._burst, self._taken * self._burst

    def after_point(self, point: int, frames: Mapping[str, int], received: int) -> Verdict:
        """Judge a step scan after a point.

        Args:
            point: its number, from 0.
            frames: processed frames of the scan so far, of each camera.
            received: frames of all cameras and scans so far; they may come too early to be
                processed.
        """
        before, self._frames = self._frames, frames
        per_camera = (point + 1) * self._burst
        expected = per_camera * len(self._cameras)
        if self._prepared.triggered or self._excess:
            return Verdict()
        surplus = sum(max(0, n - per_camera) for n in frames.values())
        came = max(received - self._prepared.received, expected + surplus if surplus else 0)
        if came > expected:
            self._excess = True
            return Verdict(
                f"MORE FRAMES THAN REQUESTED: {came} until point {point}, requested were "
                f"{expected}, {self._point} per point. Nobody can tell their motor position, so "
                "the curves have no values from here on. Correct the number of frames per point.",
                excess=True,
            )
        # Only channels that wait for the frames make sure that all could be seen by now.
        if not self._prepared.waits:
            return Verdict()
        missing = sum(max(0, per_camera - frames.get(camera, 0)) for camera in self._cameras)
        known = self._missing
        self._missing = max(missing, known)
        self._silent = self._silent + 1 if missing and frames == before else 0
        if self._silent >= LOST:
            return Verdict(f"no frame has come since point {point + 1 - LOST}", lost=True)
        if missing > known:
            return Verdict(
                f"Point {point}: {missing - known} of {self._point} frames did not come."
            )
        return Verdict()

    @property
    def _point(self) -> int:
        """Frames of all cameras that a point has."""
        return self._burst * len(self._cameras)

    def at_the_end(self, points: int) -> str:
        """Return what is missing of a step scan that was completed; empty: nothing is known of it.

        Args:
            points: number of points that were recorded.
        """
        missed = points - self._taken
        if self._prepared.triggered and missed:
            return (
                f"The camera missed {missed} of {points} triggers: these points are not in the "
                "curves, and the next scan gives up waiting for their frames."
            )
        if self._missing and self._prepared.waits:
            return f"{self._missing} of {points * self._point} frames did not come in this scan."
        return ""
