"""The device without its commands: life, attributes, memory and events."""

import time
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import numpy as np
import tango
from tango import AttrQuality, DevState
from tango.server import Device, DeviceMeta

from femtotango.component import health
from femtotango.component.component import Component
from femtotango.component.image_reader import FullImage
from femtotango.component.result_attributes import RESULTS, Result
from femtotango.component.save_raw_interlock import check_switch_off
from femtotango.component.state import View
from femtotango.device.attributes import (
    MAX_FILTER,
    Q_VALUES,
    SAVE_RAW,
    all_attributes,
    check_q_values,
)
from femtotango.device.balor_monitor import Balor
from femtotango.device.change_events import Pusher, Reading
from femtotango.device.memorized import DeviceMemory
from femtotango.device.properties import Properties, slots_to_keep
from femtotango.device.tango_errors import reported
from femtotango.errors import BadValue, NoBalor, PipelineError
from femtotango.text_encoding import latin
from pipeline.model.parameters import ATTRIBUTES

OUTPUT_FOLDER = "output_folder"
_VALID, _INVALID = AttrQuality.ATTR_VALID, AttrQuality.ATTR_INVALID

_Attributes: Any = DeviceMeta("_Attributes", (Device,), all_attributes())


class DeviceCore(_Attributes):
    """The life of the device and its attributes; the properties come with the device class."""

    # Life

    def init_device(self) -> None:
        """Connect to the pipeline; an Init keeps the settings."""
        super().init_device()
        self.add_version_info("femtotango", version("femtotango"))
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
        # A replay may have a folder of its own; elsewhere an emptied property ends the saving.
        if properties.output_folder or not properties.addresses.replay:
            self._component.set(OUTPUT_FOLDER, properties.output_folder, initial=True)
        self._pusher = Pusher(self, self._readings, self._state, self._remember)
        self._balor = Balor(properties.balor, lambda: self._component.view, self._on_save_raw)
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

    def _on_save_raw(self, save_raw: bool | None, alarm: str, note: str) -> None:
        view = self._component.view
        if (view.save_raw, view.save_raw_alarm, view.save_raw_note) != (save_raw, alarm, note):
            self._component.update(save_raw=save_raw, save_raw_alarm=alarm, save_raw_note=note)

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

    def show_q_values(self, values: Any) -> None:
        """Set the rings from a command, and make forms show them as written."""
        self.write_q_values(values)
        with tango.AutoTangoMonitor(self):
            self.get_device_attr().get_w_attr_by_name(Q_VALUES).set_write_value(self._q_values)

    def write_save_raw(self, value: bool) -> None:
        """Write the Balor's SaveRaw; false only while the photons are trusted."""
        with reported(SAVE_RAW), tango.AutoTangoAllowThreads(self):
            if not self._balor.device:
                raise NoBalor("SaveRaw needs the Balor's Tango name in the property BalorDevice.")
            if not value:
                check_switch_off(self._component.view)
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
