"""Macros for the tests: a burst scan and a hook as the beamline has them, and hooks of its own."""

import time
from contextlib import closing
from typing import Any, ClassVar

from sardana.macroserver.macro import Macro, Type
from sardana.macroserver.macros.scan import aNscan

from femtotango.dranspose_client.controller import Controller
from femtotango.dranspose_client.trigger_maps import TriggerMap


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


class beamline_prepare(Macro):
    """Post every camera and the record of a shot as one event, and call nothing of the device."""

    param_def: ClassVar[Any] = [
        ["controller", Type.String, None, "Address of dranspose's controller"],
        ["cameras", Type.String, None, "Streams, with commas between them"],
    ]

    def run(self, controller, cameras):
        """Post the trigger map of the running scan and return when data may come."""
        scan = self.getParentMacro()
        burst = -int(scan.integ_time)
        frames = scan.nb_points * burst
        one = [[{"tags": ["generic"], "constraint": event}] for event in range(frames)]
        records = [to if (i + 1) % burst == 0 else None for i, to in enumerate(one)]
        main = {**dict.fromkeys(cameras.split(","), one), "sardana": records}
        with closing(Controller(controller)) as client:
            self.wait(lambda: not client.config().behind())
            client.set_sequence(TriggerMap({"main": main}, ["main"], wrap=True))
            self.wait(lambda: client.progress().last_assigned >= 1)
        time.sleep(1.0)  # what comes sooner may be lost: nothing tells that all ingesters have it

    def wait(self, condition):
        """Wait until it is true."""
        while not condition():
            self.checkPoint()
            time.sleep(0.02)
