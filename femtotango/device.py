"""The Tango device class FemtomaxAnalysis and its server: declarations and short bodies."""

import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import tango
from tango import AttrQuality, DevState
from tango.server import Device, DeviceMeta, command, device_property, run

from femtotango import geometry_commands, health, roi_edit
from femtotango.attributes import (
    MAX_FILTER,
    MAX_Q_VALUES,
    Q_VALUES,
    SAVE_RAW,
    all_attributes,
    check_q_values,
)
from femtotango.component import Component
from femtotango.device_balor import Balor
from femtotango.device_guard import reported, waits
from femtotango.device_memory import DeviceMemory
from femtotango.device_push import Pusher, Reading
from femtotango.errors import BadValue, NoBalor, PipelineError
from femtotango.full_image import FullImage
from femtotango.plain_text import latin
from femtotango.properties import Properties, slots_to_keep
from femtotango.results_table import RESULTS, Result
from femtotango.save_raw import check_switch_off
from femtotango.scan_request import parse_request
from femtotango.view import View
from pipeline.parameters import ATTRIBUTES

OUTPUT_FOLDER = "output_folder"
_VALID, _INVALID = AttrQuality.ATTR_VALID, AttrQuality.ATTR_INVALID

_Attributes: Any = DeviceMeta("_Attributes", (Device,), all_attributes())


class FemtomaxAnalysis(_Attributes):
    """Live analysis of the FemtoMAX cameras: settings, results and scans of the pipeline."""

    ControllerUrl = device_property(
        dtype=str, default_value="http://localhost:5000", doc="dranspose's controller."
    )
    ReducerUrl = device_property(
        dtype=str, default_value="http://localhost:5001", doc="dranspose's reducer."
    )
    SardanaUrl = device_property(
        dtype=str,
        default_value="",
        doc="dranspose's Sardana ingester; by it workers hand over what they hold after a stop.",
    )
    BalorDevice = device_property(
        dtype=str, default_value="", doc="Tango device of the Balor, for SaveRaw; empty: none."
    )
    UpdateRate = device_property(dtype=float, default_value=5.0, doc="Results per second [Hz].")
    OutputFolder = device_property(
        dtype=str, default_value="", doc="Ended sums are saved here; empty: nowhere."
    )
    KeptQValues = device_property(
        dtype=(float,), default_value=[], doc="QValues; written by the device itself."
    )
    KeptRoiSlots = device_property(
        dtype=(str,), default_value=[], doc="RoiSlots; written by the device itself."
    )

    # Life

    def init_device(self) -> None:
        """Connect to the pipeline; an Init keeps the settings."""
        super().init_device()
        kept: View | None = getattr(self, "_kept", None)
        self._starting = kept is None
        self._refused: dict[str, str] = {}
        properties = Properties.read(self)
        self._memory = DeviceMemory(self.get_name())
        self._q_values = np.array(properties.q_values, np.float64)
        self._component = Component(
            properties.addresses,
            properties.update_rate,
            self._on_change,
            slots=properties.roi_slots,
        )
        self._component.update(configuration_errors=properties.errors)
        self._images = FullImage(self._component.reducer)
        if kept is not None:
            self._component.update(max_filter=kept.max_filter)
            for parameter in ATTRIBUTES.values():
                value = getattr(kept.settings, parameter.name)
                self._component.set(parameter.name, value, initial=True)
        if properties.output_folder:
            self._component.set(OUTPUT_FOLDER, properties.output_folder, initial=True)
        self._pusher = Pusher(self, self._readings, self._state, self._remember)
        self._balor = Balor(
            properties.balor, lambda: self._component.view.results, self._on_save_raw
        )
        self._show_written()
        for name in ("State", "Status"):
            self.set_change_event(name, True, False)
        if not self._starting:
            self._begin()

    def server_init_hook(self) -> None:
        """Begin to work once all memorized values are in."""
        self._starting = False
        self._begin()

    def _begin(self) -> None:
        self._remembered = self._component.view
        self._component.start()
        self._pusher.start()
        self._balor.start()

    def delete_device(self) -> None:
        """End all threads; none of them may wait for the monitor meanwhile."""
        self._kept = self._component.view
        with tango.AutoTangoAllowThreads(self):
            self._pusher.close()
            self._balor.close()
            self._component.close()
        super().delete_device()

    def dev_state(self) -> DevState:
        """Return the state as it follows from what is known now."""
        return self._state()[0]

    def dev_status(self) -> str:
        """Return which part it is and what to do."""
        return self._state()[1]

    def _state(self) -> tuple[DevState, str]:
        verdict = health.judge(self._component.view)
        refused = (f"A remembered value was not used: {text}" for text in self._refused.values())
        return getattr(DevState, verdict.state), latin("\n".join([verdict.status, *refused]))

    def _on_change(self) -> None:
        if hasattr(self, "_pusher"):
            self._pusher.notify()

    def _on_save_raw(self, save_raw: bool | None, alarm: str) -> None:
        view = self._component.view
        if (view.save_raw, view.save_raw_alarm) != (save_raw, alarm):
            self._component.update(save_raw=save_raw, save_raw_alarm=alarm)

    def _show_written(self) -> None:
        """Make forms show the values that are in force, not zeros."""
        attributes = self.get_device_attr()
        for name, parameter in ATTRIBUTES.items():
            value = getattr(self._component.view.settings, parameter.name)
            attributes.get_w_attr_by_name(name).set_write_value(value)
        attributes.get_w_attr_by_name(Q_VALUES).set_write_value(self._q_values)
        attributes.get_w_attr_by_name(MAX_FILTER).set_write_value(self._component.view.max_filter)
        attributes.get_w_attr_by_name(SAVE_RAW).set_write_value(True)

    # Reading

    def read_setting(self, name: str) -> Reading:
        """Return a setting as it is wished."""
        return getattr(self._component.view.settings, name), time.time(), _VALID

    def read_result(self, row: Result) -> Reading:
        """Return what the newest view shows."""
        view = self._component.view
        quality = _VALID if row.valid(view) else _INVALID
        return row.read(view), view.results.time or time.time(), quality

    def read_max_filter(self) -> Reading:
        """Return whether previews show maxima."""
        return self._component.view.max_filter, time.time(), _VALID

    def read_q_values(self) -> Reading:
        """Return the rings to draw [1/Å]."""
        return self._q_values, time.time(), _VALID

    def read_save_raw(self) -> Reading:
        """Return the Balor's SaveRaw as it was seen last."""
        save_raw = self._component.view.save_raw
        return bool(save_raw), time.time(), _INVALID if save_raw is None else _VALID

    def read_accumulated_image(self) -> Reading:
        """Fetch the image; other clients are served meanwhile."""
        view = self._component.view
        if view.results.error is None:
            try:
                with tango.AutoTangoAllowThreads(self):
                    return self._images.as_float32(view), view.results.time, _VALID
            except PipelineError as error:
                self.warn_stream(f"AccumulatedImage: {error}")
        return np.empty((0, 0), np.float32), time.time(), _INVALID

    def _readings(self) -> Iterator[tuple[str, Reading]]:
        for name, parameter in ATTRIBUTES.items():
            yield name, self.read_setting(parameter.name)
        for row in RESULTS:
            if row.events:
                yield row.name, self.read_result(row)
        yield MAX_FILTER, self.read_max_filter()
        yield Q_VALUES, self.read_q_values()
        yield SAVE_RAW, self.read_save_raw()

    # Writing

    def write_setting(self, attribute: str, name: str, value: Any) -> None:
        """Wish a value; a remembered one that cannot be used is left out, and Status says so."""
        with reported(attribute):
            try:
                normal = self._component.set(name, value, initial=self._starting)
            except BadValue as error:
                if not self._starting:
                    raise
                self._refused[attribute] = str(error)
                return
        self._refused.pop(attribute, None)
        if not self._starting:
            # Tango remembers what comes this way.
            known = self._remembered
            self._remembered = replace(known, settings=known.settings.replaced(name, normal))

    def write_max_filter(self, value: bool) -> None:
        """Choose between means and maxima."""
        self._component.update(max_filter=bool(value))

    def write_q_values(self, values: Any) -> None:
        """Set the rings to draw [1/Å]."""
        with reported(Q_VALUES):
            self._q_values = check_q_values(values)
        self._memory.keep_property("KeptQValues", self._q_values.tolist())
        self._on_change()

    def write_save_raw(self, value: bool) -> None:
        """Write the Balor's SaveRaw; false only while the photons are trusted."""
        with reported(SAVE_RAW), tango.AutoTangoAllowThreads(self):
            if not self._balor.device:
                raise NoBalor("SaveRaw needs the Balor's Tango name in the property BalorDevice.")
            if not value:
                check_switch_off(self._component.view.results)
            self._balor.write(bool(value))

    def _set(self, **values: Any) -> None:
        """Wish values from a command; they are remembered as if a client had written them."""
        for name, value in values.items():
            self._component.set(name, value)

    def _remember(self) -> None:
        """Keep what did not come by an attribute's write, and show it as the written value."""
        before, view = self._remembered, self._component.view
        self._remembered = view
        changed = {
            name: getattr(view.settings, parameter.name)
            for name, parameter in ATTRIBUTES.items()
            if getattr(view.settings, parameter.name) != getattr(before.settings, parameter.name)
        }
        if changed:
            self._memory.keep_settings(changed)
            with tango.AutoTangoMonitor(self):
                for name, value in changed.items():
                    self.get_device_attr().get_w_attr_by_name(name).set_write_value(value)
        if view.slots != before.slots:
            self._memory.keep_property("KeptRoiSlots", slots_to_keep(view.slots))

    # Accumulation and ROIs

    @command(doc_in="Sum frames from now on; a new sum begins unless one is running.")
    @waits
    def StartAccumulation(self) -> None:
        """Set Accumulate."""
        self._set(accumulate=True)
        self._component.wait_delivered()

    @command(doc_in="Forward the newest frame instead of summing.")
    @waits
    def StopAccumulation(self) -> None:
        """Clear Accumulate."""
        self._set(accumulate=False)
        self._component.wait_delivered()

    @command(doc_in="Begin a new sum.")
    @waits
    def ResetAccumulation(self) -> None:
        """Raise the accumulation's number."""
        self._component.sync.new_sum()
        self._component.wait_delivered()

    @command(dtype_in=str, doc_in='{"name": "a", "x": 1, "y": 2, "width": 3, "height": 4}')
    def AddRoi(self, text: str) -> None:
        """Add a ROI, or replace the one of that name."""
        with reported("AddRoi"):
            self._set(rois=roi_edit.add_roi(self._component.view.settings.rois, text))

    @command(dtype_in=str, doc_in="Name of the ROI.")
    def RemoveRoi(self, name: str) -> None:
        """Remove a ROI."""
        with reported("RemoveRoi"):
            self._set(rois=roi_edit.remove_roi(self._component.view.settings.rois, name))

    @command
    def ClearRois(self) -> None:
        """Remove all ROIs."""
        with reported("ClearRois"):
            self._set(rois="{}")

    # Scans

    @command(dtype_in=str, doc_in='{"streams": [...], "steps": points, "burst": frames per point}')
    @waits
    def PrepareScan(self, request: str) -> None:
        """Return when detectors and Sardana may start."""
        self._component.prepare(parse_request(request))

    @command
    @waits
    def StopScan(self) -> None:
        """Give up what is outstanding and count it."""
        self._component.stop(continuous=False)

    @command(dtype_in=(str,), doc_in="Streams: one camera.")
    @waits
    def StartContinuous(self, streams: list[str]) -> None:
        """Take frames as they come; begin anew after each series."""
        self._component.start_continuous(streams)

    @command
    @waits
    def StopContinuous(self) -> None:
        """End continuous mode."""
        self._component.stop(continuous=True)

    # Geometry, files and pixels

    @command(
        dtype_in=float, doc_in="q [1/angstrom]", dtype_out=(float,), doc_out="y0, x0, y1, x1, ..."
    )
    @waits
    def QCurve(self, q: float) -> Any:
        """Draw a ring; NaN between its branches."""
        return geometry_commands.q_curve(self._component.view, q)

    @command(dtype_in=str, doc_in="A calibrant of pyFAI, LaB6.")
    @waits
    def UseCalibrant(self, name: str) -> None:
        """Fill QValues with the lines that the detector sees."""
        found = geometry_commands.calibrant(self._component.view, name, MAX_Q_VALUES)
        self.write_q_values(found)

    @command(dtype_in=str, doc_in="Path; relative ones are under OutputFolder.")
    @waits
    def SavePoni(self, path: str) -> None:
        """Write the geometry as a PONI file."""
        geometry_commands.save_poni(self._component.view, path)

    @command(dtype_in=str, doc_in="Path; relative ones are under OutputFolder.")
    @waits
    def LoadPoni(self, path: str) -> None:
        """Set the geometry from a PONI file."""
        self._set(**geometry_commands.load_poni(self._component.view, path))

    @command(dtype_in=str, doc_in="Path; relative ones are under OutputFolder.")
    @waits
    def SaveImage(self, path: str) -> None:
        """Write the exact image as NeXus."""
        geometry_commands.save_exact_image(self._component.view, self._images, path)

    @command(
        dtype_in=(int,),
        doc_in="x, y, width, height, binning [pixel]",
        dtype_out="DevEncoded",
        doc_out="npy: float32 (y, x), block means or maxima",
    )
    @waits
    def GetRegion(self, numbers: Any) -> tuple[str, bytes]:
        """Return a binned rectangle of the image."""
        return "npy", self._images.region(self._component.view, [int(n) for n in numbers])


def main() -> None:
    """Run the server ``FemtomaxAnalysis INSTANCE``, however it was started."""
    run((FemtomaxAnalysis,), [FemtomaxAnalysis.__name__, *sys.argv[1:]])


if __name__ == "__main__":
    main()
