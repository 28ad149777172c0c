"""Macros for the fit of a region's curve: show it, and move the motor to the peak."""

# Sardana makes the members of Type at run time, and expects run() with other arguments.
# pyright: reportAttributeAccessIssue=false, reportIncompatibleMethodOverride=false

import math
import time
from typing import Any, ClassVar

from sardana.macroserver.macro import Macro, Optional, Type

from femtotango.sardana.access import FemtomaxError, choose, connect, plain_errors
from pipeline.model.parameters import MODELS

_FITTED = MODELS[1:]
_LINES = (("centre", "Centre"), ("FWHM", "Fwhm"), ("height", "Height"), ("offset", "Offset"))
_PATIENCE = 1.5
"""A fit that was asked for now is there after so long [s]."""
_LOOK = 0.1


def _wait(macro: Macro, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        macro.checkPoint()
        time.sleep(_LOOK)


def _read(device: Any, *names: str) -> dict[str, Any]:
    return {reading.name: reading.value for reading in device.read_attributes(list(names))}


class femto_peak(Macro):
    """Fit a peak or a step to a region's curve, and show it with its errors."""

    param_def: ClassVar[Any] = [
        ["region", Type.String, Optional, "Name of the region; default: as before, else the first"],
        [
            "model",
            Type.String,
            Optional,
            ", ".join(_FITTED) + "; default: as before, else gaussian",
        ],
    ]

    def run(self, region: str | None, model: str | None) -> None:
        """Choose region and model, and print the fit."""
        with plain_errors():
            device = connect(self.getEnv)
            before = _read(device, "FitRoi", "FitModel", "RoiNames")
            names = list(before["RoiNames"] or ())
            if not names:
                raise FemtomaxError("There is no region to fit: femto_roi add <name> …")
            region = region or before["FitRoi"] or names[0]
            if region not in names:
                raise FemtomaxError(f"There is no region {region!r}; there are {', '.join(names)}.")
            number = MODELS.index(choose(model, *_FITTED)) if model else before["FitModel"] or 1
            if (region, number) != (before["FitRoi"], before["FitModel"]):
                device.write_attribute("FitRoi", region)
                device.write_attribute("FitModel", number)
                _wait(self, _PATIENCE)
            values = [f"Fit{name}" for _, name in _LINES]
            errors = [f"{name}Error" for name in values]
            fit = _read(device, "FitStatus", "XLabel", *values, *errors)
        self.output("%s over %s: %s", region, fit["XLabel"], fit["FitStatus"])
        if not math.isnan(fit["FitCentre"]):
            for word, name in _LINES:
                value, error = fit[f"Fit{name}"], fit[f"Fit{name}Error"]
                self.output("%-8s %.6g ± %.2g", word, value, error)


class femto_goto_peak(Macro):
    """Move the motor of the scan to the fitted centre, after asking."""

    interactive = True
    param_def: ClassVar[Any] = [
        ["answer", Type.String, "ask", "ask before the motor moves, or yes; default: ask"],
    ]

    def run(self, answer: str) -> None:
        """Ask, and move."""
        answer = choose(answer, "ask", "yes")
        with plain_errors():
            device = connect(self.getEnv)
            names = ("FitStatus", "FitCentre", "FitCentreError", "XLabel", "ScanFinished")
            fit = _read(device, *names)
        label, centre = fit["XLabel"], fit["FitCentre"]
        if math.isnan(centre):
            raise FemtomaxError(f"There is no peak to go to ({fit['FitStatus']}); see femto_peak.")
        if not fit["ScanFinished"]:
            raise FemtomaxError("The scan is still running: wait for its end, or stop it.")
        motor = self.getMoveable(label)
        if motor is None:
            raise FemtomaxError(
                f"The curve stands over {label!r}, which is no motor here: choose one with "
                "XSource, or move by hand."
            )
        text = f"Move {label} to {centre:.6g} ± {fit['FitCentreError']:.2g}?"
        if answer == "ask" and str(self.input(text + " (yes/no)", default_value="no")) != "yes":
            self.output("%s stays where it is", label)
            return
        self.mv(motor, centre)
        self.output("%s is at %.6g", label, motor.getPosition(force=True))
