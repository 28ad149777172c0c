"""Channels with the results of the analysis for each point of a scan.

A channel stays MOVING until the frames of the point are processed, so its value belongs to this
point and not to the previous one. When frames are missing or the device does not answer, the point
ends with NaN after a time-out: a missing frame must not hang a scan.
"""

import math
import time
from typing import Any, ClassVar

import tango
from sardana import State
from sardana.pool import AcqSynch
from sardana.pool.controller import (
    CounterTimerController,
    DefaultValue,
    Description,
    FGet,
    FSet,
    MaxDimSize,
    Memorize,
    Memorized,
    OneDController,
    Type,
)

from femtotango.sardana.lazy_device import LazyDevice
from femtotango.sardana.point import Point
from pipeline.model.parameters import PARAMETERS

_POLL_INTERVAL = 0.03
"""The pool asks for the state far more often than the device has new results [s]."""

_PROPERTIES = {
    "FemtomaxDevice": {Type: str, Description: "Name of the FemtomaxAnalysis device"},
    "Timeout": {
        Type: float,
        DefaultValue: 10.0,
        Description: "A point ends when no frame came for its exposure plus this time [s]",
    },
}
_SOURCE = {
    Type: str,
    FGet: "get_source",
    FSet: "set_source",
    Memorize: Memorized,
}
_COUNTER_SOURCES = [
    *(f"Roi{number}Mean" for number in range(1, 9)),
    "FrameCount",
    "PhotonCount",
    "PileupFraction",
    *(f"Roi{number}{part}" for part in ("Sum", "X", "Y") for number in range(1, 9)),
    "FitCentre",
    "FitFwhm",
    "FitHeight",
]
_CURVE_SOURCES = ["EnergyHistogram", "AzimuthalIntensity"]
_LENGTHS = {
    "energyhistogram": "HistogramBins",
    "energyaxis": "HistogramBins",
    "azimuthalintensity": "AzimuthalBins",
    "azimuthalerrors": "AzimuthalBins",
    "azimuthalq": "AzimuthalBins",
}
"""Settings that give the length of a curve before there is one."""
_LONGEST = max(
    int(parameter.limits[1])
    for parameter in PARAMETERS.values()
    if parameter.attribute in _LENGTHS.values() and parameter.limits
)
"""Points of a curve."""


class _PointChannels:
    """What both kinds of channels share: they wait for the frames of the point."""

    FemtomaxDevice: str
    Timeout: float
    _log: Any
    _synchronization: Any

    def set_up(self) -> None:
        """Create the state of the controller."""
        self._device = LazyDevice(self.FemtomaxDevice)
        self._point = Point(self._device, self.Timeout)
        self._sources: dict[int, str] = {}
        self._exposure = 0.0
        self._waiting = False
        self._next_poll = 0.0
        self._unread: set[int] = set()

    def PrepareOne(self, axis: int, value: float, repetitions: int, latency: float, nb_starts: int):
        """Do nothing: the hook femto_prepare prepares the pipeline."""

    def LoadOne(self, axis: int, value: float, repetitions: int, latency: float) -> None:
        """Note the exposure; a negative value means monitor counts, of unknown duration."""
        self._exposure = max(0.0, value)

    def PreStartAll(self) -> None:
        """Note the totals of the scan; the pool calls this before any camera starts."""
        self._unread = set()
        self._waiting = self._point.begin(time.monotonic(), self._exposure)
        self._next_poll = 0.0
        if self._point.problem:
            self._log.warning(self._point.problem)

    def PreStartOne(self, axis: int, value: float) -> bool:
        """Add the axis to this point."""
        self._unread.add(axis)
        return True

    def StartOne(self, axis: int, value: float) -> None:
        """Do nothing: the frames come from the camera."""

    def StartAll(self) -> None:
        """Do nothing: see `StartOne`."""

    def StateAll(self) -> None:
        """Poll the device, but not at every call."""
        now = time.monotonic()
        if not self._waiting or now < self._next_poll:
            return
        self._next_poll = now + _POLL_INTERVAL
        self._waiting = self._point.waits(now)
        if not self._waiting and self._point.problem:
            self._log.warning("point ended: %s", self._point.problem)

    def StateOne(self, axis: int) -> tuple[Any, str]:
        """Return MOVING until the frames of the point are processed."""
        if self._waiting:
            return State.Moving, "waiting for the frames of the point"
        return State.On, self._point.problem or "ready"

    def AbortOne(self, axis: int) -> None:
        """Stop waiting."""
        self._waiting = False

    def ReadOne(self, axis: int) -> Any:
        """Return the value of the point, in the form that the synchronisation requires."""
        if self._synchronization in (AcqSynch.SoftwareTrigger, AcqSynch.SoftwareGate):
            return self._value(axis)
        # With any other synchronisation the pool expects a list: one value for the whole burst.
        if self._waiting or axis not in self._unread:
            return []
        self._unread.discard(axis)
        return [self._value(axis)]

    def _value(self, axis: int) -> Any:
        raise NotImplementedError

    def get_source(self, axis: int) -> str:
        """Return the attribute that an axis shows."""
        return self._sources[axis]

    def set_source(self, axis: int, name: str) -> None:
        """Choose the attribute that an axis shows."""
        self._sources[axis] = name

    def DeleteDevice(self, axis: int) -> None:
        """Remove an axis."""
        self._sources.pop(axis, None)

    def _default(self, axis: int, names: list[str]) -> None:
        self._sources[axis] = names[(axis - 1) % len(names)]


class FemtomaxCounterTimerController(_PointChannels, CounterTimerController):
    """Scalars of the analysis: ROIs over the frames of a point, counts, the fit so far."""

    gender = "Analysis"
    model = "FemtomaxAnalysis"
    organization = "MAX IV"
    MaxDevice = 64

    ctrl_properties: ClassVar[Any] = _PROPERTIES
    axis_attributes: ClassVar[Any] = {
        "Source": {
            **_SOURCE,
            Description: "Scalar attribute of the device: " + ", ".join(_COUNTER_SOURCES) + ", …",
        },
    }

    def __init__(self, inst: str, props: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        CounterTimerController.__init__(self, inst, props, *args, **kwargs)
        self.set_up()

    def AddDevice(self, axis: int) -> None:
        """Add an axis; axes 1 to 8 are the ROI slots unless Source says otherwise."""
        self._default(axis, _COUNTER_SOURCES)

    def _value(self, axis: int) -> float:
        if self._waiting or not self._point.reachable:
            return math.nan
        try:
            return self._point.value(self._sources[axis])
        except tango.DevFailed as error:
            self._log.warning("%s: %s", self._sources[axis], error.args[0].desc)
            return math.nan


class FemtomaxOneDController(_PointChannels, OneDController):
    """Curves of the analysis: energy histogram, azimuthal integration."""

    gender = "Analysis"
    model = "FemtomaxAnalysis"
    organization = "MAX IV"
    MaxDevice = 16

    ctrl_properties: ClassVar[Any] = _PROPERTIES
    axis_attributes: ClassVar[Any] = {
        "Source": {
            **_SOURCE,
            Description: "Spectrum attribute of the device: " + ", ".join(_CURVE_SOURCES) + ", …",
        },
    }

    def __init__(self, inst: str, props: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        OneDController.__init__(self, inst, props, *args, **kwargs)
        self.set_up()
        self._lengths: dict[int, int] = {}

    def AddDevice(self, axis: int) -> None:
        """Add an axis; 1 is the histogram, 2 the azimuthal curve unless Source says otherwise."""
        self._default(axis, _CURVE_SOURCES)

    def GetAxisAttributes(self, axis: int) -> dict[str, Any]:
        """Return what an axis has; its curve may be longer than the 16384 points of Sardana."""
        attributes = OneDController.GetAxisAttributes(self, axis)
        attributes["Value"][MaxDimSize] = (_LONGEST,)
        return attributes

    def GetAxisPar(self, axis: int, parameter: str) -> Any:
        """Return the shape; recorders need it before the first value."""
        if parameter.lower() != "shape":
            return None
        source = self._sources[axis]
        try:
            if source.lower() in _LENGTHS:
                (setting,) = self._device.read_attributes([_LENGTHS[source.lower()]])
                length = int(setting.value)
            else:
                length = len(self._curve(source))
        except (tango.DevFailed, TypeError) as error:
            self._log.warning("the length of %s is not known: %s", source, error)
            length = self._lengths.get(axis, 1)
        self._lengths[axis] = max(1, length)
        return [self._lengths[axis]]

    def _curve(self, source: str) -> list[float]:
        (attribute,) = self._device.read_attributes([source])
        return [] if attribute.value is None else [float(value) for value in attribute.value]

    def _value(self, axis: int) -> list[float]:
        """Return the curve, cut or filled with NaN to the announced length."""
        length = self._lengths.get(axis) or self.GetAxisPar(axis, "shape")[0]
        nothing = [math.nan] * length
        if self._waiting or not self._point.reachable:
            return nothing
        try:
            return (self._curve(self._sources[axis]) + nothing)[:length]
        except tango.DevFailed as error:
            self._log.warning("%s: %s", self._sources[axis], error.args[0].desc)
            return nothing
