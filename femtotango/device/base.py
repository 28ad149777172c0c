"""The device without its commands: life, attributes, memory and events."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import cached_property
from importlib.metadata import version
from typing import Any

import numpy as np
import tango
from tango import AttrQuality, DevState
from tango.server import Device, DeviceMeta

from femtotango.component import health, kept, setting_flow
from femtotango.component.component import GEOMETRY_CAMERA, Component
from femtotango.component.image_reader import FullImage
from femtotango.component.kept import Kept
from femtotango.component.raw_data import RawData
from femtotango.component.result_attributes import RESULTS
from femtotango.component.result_row import Result
from femtotango.device.attributes import (
    MAX_FILTER,
    Q_VALUES,
    SAVE_RAW,
    all_attributes,
    check_q_values,
)
from femtotango.device.balor_monitor import Balor, Seen
from femtotango.device.camera_attributes import CameraAttributes, share_freely
from femtotango.device.change_events import Changes, Pusher, Reading
from femtotango.device.image_reads import ImageReads
from femtotango.device.life_before import life_before
from femtotango.device.memorized import DeviceMemory
from femtotango.device.properties import Properties
from femtotango.device.slot_labels import show_slots
from femtotango.device.tango_errors import reported
from femtotango.device.tango_logs import forwarded
from femtotango.device.written_values import show_requested, show_written
from femtotango.errors import NoBalor
from femtotango.text_encoding import latin
from pipeline.model.cameras import ranked
from pipeline.model.parameter import Value
from pipeline.model.parameters import ATTRIBUTES, PARAMETERS, POSITION

OUTPUT_FOLDER = "output_folder"
_VALID, _INVALID = AttrQuality.ATTR_VALID, AttrQuality.ATTR_INVALID
_ALARM = AttrQuality.ATTR_ALARM

_living: dict[str, "DeviceCore"] = {}
"""Devices with a life, by name."""

_Attributes: Any = DeviceMeta("_Attributes", (Device,), all_attributes())


class DeviceCore(_Attributes):
    """The life of the device and its attributes; the properties come with the device class."""

    # Life: server start, Init, DevRestart and RestartServer begin one, and end the one before

    _life: ExitStack | None = None
    """Ends everything that runs; None: nothing does."""

    def init_device(self) -> None:
        """Begin a life with what the properties say and what the life before has left."""
        unread = ""
        try:
            super().init_device()
        except tango.DevFailed as error:
            unread = error.args[0].desc
        self.add_version_info("femtotango", version("femtotango"))
        for name in ("State", "Status"):
            self.set_change_event(name, True, False)
            self.set_archive_event(name, True, False)
        for name in all_attributes():
            share_freely(self, name)
        self._cameras = CameraAttributes(self)
        self._changes = Changes()
        # DevRestart makes a new object while a command still waits in the old one.
        self._name = self.get_name()
        before = _living.get(self._name)
        if before is not None:
            before.end_life()
        self._begin(Properties.read(self, unread))

    def delete_device(self) -> None:
        """End the life."""
        # None of its threads may wait for the monitor meanwhile.
        with tango.AutoTangoAllowThreads(self):
            self.end_life()
        super().delete_device()

    def end_life(self) -> None:
        """End what runs; commands that wait are refused. What is known is left to the next life.

        Call without the monitor. Tango may delete its part of this object as soon as no command
        waits in it any more, so nothing here may touch that part.
        """
        life, self._life = self._life, None
        if life is not None:
            life.close()
            self._remember(setting_flow.untold(self._component.sync.flow))
            self._memory.leave(self._kept())
            _living.pop(self._name, None)

    def _begin(self, properties: Properties) -> None:
        self._memory = DeviceMemory(self._name)
        before, self._refused = life_before(self._memory, properties)
        self._cameras.restore(before.cameras)
        # A replay may have a folder of its own; elsewhere an emptied property ends the saving.
        folder = properties.output_folder
        if folder or not (properties.addresses.replay or properties.errors):
            flow = setting_flow.request(before.flow, OUTPUT_FOLDER, folder, time.time())
            before = replace(before, flow=flow)
        self._q_values = np.array(before.q_values, np.float64)
        self._since = dict.fromkeys((Q_VALUES, MAX_FILTER, SAVE_RAW), time.time())
        self._component = Component(
            properties.addresses,
            properties.update_rate,
            self._on_change,
            before,
            properties.errors,
            properties.allowed_folders,
        )
        self._images = FullImage(self._component.reducer)
        self._pusher = Pusher(self, self._readings, self._state, self._after_events)
        self._balor = Balor(
            properties.balor,
            self._component.signs,
            lambda: self._component.scans.scan,
            self._on_save_raw,
            self._keep_raw_data,
            before.raw_data,
        )
        show_written(self, {name: before.flow[p.name].requested for name, p in ATTRIBUTES.items()})
        show_written(
            self, {Q_VALUES: self._q_values, MAX_FILTER: before.max_filter, SAVE_RAW: True}
        )
        with ExitStack() as life:
            # They end the other way round: what touches Tango before the commands that wait.
            for part in (self._component, self._balor, self._pusher):
                life.callback(part.close)
                part.start()
            life.enter_context(forwarded(self))
            self._life = life.pop_all()
        _living[self._name] = self

    def _kept(self) -> Kept:
        return replace(
            self._component.keep(),
            q_values=tuple(self._q_values.tolist()),
            raw_data=self._balor.state,
            cameras=self._cameras.cameras,
        )

    def dev_state(self) -> DevState:
        """Return the state as it follows from what is known now."""
        return self._state()[0]

    def dev_status(self) -> str:
        """Return which part it is and what to do."""
        return self._state()[1]

    def _state(self) -> tuple[DevState, str]:
        verdict = health.judge(self._component.view)
        notes = [f"A remembered value was not used: {text}" for text in self._refused.values()]
        if self._pusher.failures:
            notes.append(
                f"{self._pusher.failures} change events could not be pushed: clients that follow "
                "events may show what was; see the log."
            )
        return getattr(DevState, verdict.state), latin("\n".join([verdict.status, *notes]))

    def _on_change(self) -> None:
        self._pusher.notify()

    def _on_save_raw(self, seen: Seen) -> None:
        view = self._component.view
        if view.save_raw != seen.save_raw:
            self._since[SAVE_RAW] = time.time()
        shown = view.save_raw, view.save_raw_alarm, view.save_raw_note, view.unsafe_frames
        if shown != (seen.save_raw, seen.alarm, seen.note, seen.unsafe_frames):
            self._component.update(
                save_raw=seen.save_raw,
                save_raw_alarm=seen.alarm,
                save_raw_note=seen.note,
                unsafe_frames=seen.unsafe_frames,
            )

    def _keep_raw_data(self, raw_data: RawData) -> None:
        self._memory.keep_properties({kept.RAW_DATA: kept.raw_data_texts(raw_data)})

    # Reading

    def read_setting(self, name: str) -> Reading:
        """Return a setting as it is requested, and since when."""
        setting = self._component.sync.flow[name]
        return setting.requested, setting.since, _VALID

    def read_result(self, row: Result) -> Reading:
        """Return what the newest view shows."""
        view = self._component.view
        value, when = row.read(view), row.time(view)
        if when is None:
            when = self._changes.since(row.name, value)
        quality = _ALARM if row.alarm(view) else _VALID
        return value, when or time.time(), quality if row.valid(view) else _INVALID

    def read_max_filter(self) -> Reading:
        """Return whether previews show maxima."""
        return self._component.view.max_filter, self._since[MAX_FILTER], _VALID

    def read_q_values(self) -> Reading:
        """Return the rings to draw [1/Å]."""
        return self._q_values, self._since[Q_VALUES], _VALID

    def read_save_raw(self) -> Reading:
        """Return the Balor's SaveRaw as it was seen last."""
        view = self._component.view
        quality = _ALARM if view.save_raw_alarm else _VALID
        since = self._since[SAVE_RAW]
        return bool(view.save_raw), since, _INVALID if view.save_raw is None else quality

    @cached_property
    def _image_reads(self) -> ImageReads:
        """Stays while Init begins another life: a read may be under way."""
        return ImageReads(self, lambda: self._images, lambda: self._component.view)

    def read_attr_hardware(self, indices: Sequence[int]) -> None:
        """Fetch what takes long before Tango reads any attribute; other clients are served."""
        self._image_reads.fetch(indices)

    def read_accumulated_image(self, camera: str = "") -> Reading:
        """Return the image that was fetched for this read.

        Args:
            camera: whose image; empty: the one that is shown.
        """
        return self._image_reads.take(camera)

    def _readings(self) -> Iterator[tuple[str, Reading]]:
        for name, parameter in ATTRIBUTES.items():
            yield name, self.read_setting(parameter.name)
        for row in RESULTS:
            if row.events:
                yield row.name, self.read_result(row)
        for row in self._cameras.rows:
            yield row.name, self.read_result(row)
        yield MAX_FILTER, self.read_max_filter()
        yield Q_VALUES, self.read_q_values()
        yield SAVE_RAW, self.read_save_raw()

    # Writing

    def write_setting(self, attribute: str, name: str, value: Any) -> None:
        """Request a value."""
        try:
            with reported(attribute):
                normal = self._component.request(name, value)
        finally:
            # Tango would show a refused value as written, or an accepted one as it was spelled.
            show_written(self, {attribute: self._component.sync.flow[name].requested})
            if name in POSITION:
                show_requested(self, self._component.sync.flow, (GEOMETRY_CAMERA,))
        self._refused.pop(name, None)
        # Tango itself remembers what comes this way.
        self._component.told({name: normal})

    def write_max_filter(self, value: bool) -> None:
        """Choose between means and maxima."""
        self._since[MAX_FILTER] = time.time()
        self._component.update(max_filter=bool(value))

    def write_q_values(self, values: Any) -> None:
        """Set the rings to draw [1/Å]."""
        try:
            with reported(Q_VALUES):
                self._q_values = check_q_values(values)
        finally:
            with tango.AutoTangoMonitor(self):
                show_written(self, {Q_VALUES: self._q_values})
        self._since[Q_VALUES] = time.time()
        self._memory.keep_properties({kept.Q_VALUES: kept.q_value_texts(self._q_values.tolist())})
        self._on_change()

    def write_save_raw(self, value: bool) -> None:
        """Write the Balor's SaveRaw; false only while every frame is safe without raw data."""
        with reported(SAVE_RAW), tango.AutoTangoAllowThreads(self):
            if not self._balor.device:
                raise NoBalor("SaveRaw needs the Balor's Tango name in the property BalorDevice.")
            self._balor.write(bool(value))

    def _set(self, **values: Any) -> None:
        """Request values from a command; forms show them as if a client had written them."""
        for name, value in values.items():
            self._component.request(name, value)
        with tango.AutoTangoMonitor(self):
            show_requested(self, self._component.sync.flow, values)

    # Memory

    def _add_cameras(self) -> None:
        """Give each camera that has been seen attributes of its own."""
        view = self._component.view
        if self._cameras.add(ranked((*view.cameras, *(view.snapshot.cameras or {})))):
            self._on_change()

    def _after_events(self) -> None:
        self._add_cameras()
        self._keep_memory()
        show_slots(self, self._component.view.slots)

    def _keep_memory(self) -> None:
        """Remember what did not come by an attribute's write, and show it as written."""
        untold = setting_flow.untold(self._component.sync.flow)
        if untold:
            with tango.AutoTangoMonitor(self):
                show_requested(self, self._component.sync.flow, untold)
        self._remember(untold)

    def _remember(self, untold: Mapping[str, Value]) -> None:
        if untold:
            by_attribute = {PARAMETERS[name].attribute: value for name, value in untold.items()}
            self._memory.keep_settings({a: v for a, v in by_attribute.items() if a is not None})
            self._component.told(untold)
        self._memory.keep_properties(kept.to_properties(self._kept()))
