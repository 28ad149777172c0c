"""Macros for the tests: a burst scan as the beamline has it, and one with hooks of its own."""

from typing import Any, ClassVar

from sardana.macroserver.macro import Macro, Type
from sardana.macroserver.macros.scan import aNscan


class burstscan(aNscan, Macro):
    """Scan a motor with so many frames per point; integ_time is minus their number."""

    param_def: ClassVar[Any] = [
        ["motor", Type.Moveable, None, "Moveable to move"],
        ["start_pos", Type.Float, None, "Scan start position"],
        ["final_pos", Type.Float, None, "Scan final position"],
        ["nr_interv", Type.Integer, None, "Number of scan intervals"],
        ["frames", Type.Integer, None, "Frames per point"],
    ]

    def prepare(self, motor, start_pos, final_pos, nr_interv, frames, **opts):
        """Set up the scan."""
        self._prepare([motor], [start_pos], [final_pos], nr_interv, -float(frames), **opts)


class hooked_burstscan(burstscan):
    """A burst scan that replaces the general hooks with its own."""

    def prepare(self, *args, **opts):
        """Set up the scan."""
        self.hooks = [(self.nothing, ["pre-scan"])]
        burstscan.prepare(self, *args, **opts)

    def nothing(self):
        """Stand for what the hook does."""
