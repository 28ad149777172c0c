"""The one thread that talks to the device: subscriptions, a look every second, and the jobs.

The window never waits for Tango. Events bring what changes at once; the look each second tells
whether the device is there, and repairs whatever an event did not bring.
"""

import functools
import threading
import time
from typing import Any, Protocol

import numpy as np
import tango

from femtotango.gui.device_link.jobs import Job, JobQueue
from femtotango.gui.device_link.readings import Reading, Readings
from femtotango.gui.device_link.watched import PREVIEW, SMALL, WATCHED

LOOK_INTERVAL = 1.0
"""Seconds between two looks, and between two attempts to reach the device."""
_SAME_SNAPSHOT = 0.5
"""Seconds by which the preview may be older than the counters before it is read again."""
_LOOK_TIMEOUT_MS = 3000
_JOB_TIMEOUT_MS = 10_000
"""A command may have to wait for a busy pipeline."""


class Listener(Protocol):
    """Who hears from the thread; called in it, or in Tango's own threads."""

    def readings_changed(self) -> None:
        """Some reading changed."""
        ...

    def connection_changed(self, connected: bool, reason: str) -> None:
        """Tell that the device came, or went and why."""
        ...

    def job_ended(self, job: Job, result: Any, error: str | None) -> None:
        """Tell that a job ended; an error text means that it failed."""
        ...


def error_text(error: tango.DevFailed) -> str:
    """Return what went wrong in one line: the first description, without a traceback."""
    first = error.args[0]
    lines = [line.strip() for line in str(first.desc).splitlines() if line.strip()]
    if not lines:
        return str(first.reason)
    return lines[-1] if first.reason.startswith("PyDs_") else " ".join(lines)


def reading_of(attribute: Any) -> Reading:
    """Return a `tango.DeviceAttribute` as a reading; INVALID and a failed read have no value."""
    taken = attribute.time.totime() if attribute.time is not None else 0.0
    if attribute.has_failed or attribute.quality == tango.AttrQuality.ATTR_INVALID:
        return Reading(None, taken)
    value = attribute.value
    if value is None and attribute.data_format != tango.AttrDataFormat.SCALAR:
        value = np.empty((0, 0) if attribute.data_format == tango.AttrDataFormat.IMAGE else 0)
    return Reading(value, taken)


class TangoThread(threading.Thread):
    """Connect, listen, look, work; and again after each restart of the device."""

    def __init__(self, device: str, readings: Readings, jobs: JobQueue, listener: Listener) -> None:
        super().__init__(name=f"tango {device}", daemon=True)
        self._device = device
        self._readings = readings
        self._jobs = jobs
        self._listener = listener

    def run(self) -> None:
        """Serve until the queue of jobs is closed."""
        with tango.EnsureOmniThread():
            while not self._jobs.closed:
                reason = self._serve()
                if self._jobs.closed:
                    return
                self._listener.connection_changed(False, reason)
                self._wait(LOOK_INTERVAL)

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self._jobs.closed and (left := end - time.monotonic()) > 0:
            job = self._jobs.get(left)
            if job is not None:
                self._listener.job_ended(job, None, f"{self._device} is away: nothing was done.")

    def _serve(self) -> str:
        """Work with the device until it is lost; return why it was."""
        subscriptions: list[int] = []
        try:
            proxy = tango.DeviceProxy(self._device)
            proxy.set_timeout_millis(_LOOK_TIMEOUT_MS)
            proxy.ping()
        except tango.DevFailed as error:
            return error_text(error)
        try:
            self._readings.forget_times()
            self._subscribe(proxy, subscriptions)
            self._look(proxy)
            self._listener.connection_changed(True, "")
            return self._work(proxy)
        except tango.DevFailed as error:
            return error_text(error)
        finally:
            self._unsubscribe(proxy, subscriptions)

    def _subscribe(self, proxy: tango.DeviceProxy, subscriptions: list[int]) -> None:
        for name in WATCHED:
            if self._jobs.closed:
                return
            callback = functools.partial(self._on_event, name)
            try:
                subscriptions.append(
                    proxy.subscribe_event(name, tango.EventType.CHANGE_EVENT, callback)
                )
            except tango.DevFailed:
                # It pushes no events, or is not there: the look each second shows what it has.
                continue

    @staticmethod
    def _unsubscribe(proxy: tango.DeviceProxy, subscriptions: list[int]) -> None:
        for subscription in subscriptions:
            try:
                proxy.unsubscribe_event(subscription)
            except tango.DevFailed:
                # The device is gone and the subscription with it.
                continue

    def _on_event(self, name: str, event: tango.EventData) -> None:
        if event.err or event.attr_value is None:
            return
        if self._readings.put(name, reading_of(event.attr_value)):
            self._listener.readings_changed()

    def _work(self, proxy: tango.DeviceProxy) -> str:
        next_look = time.monotonic() + LOOK_INTERVAL
        while not self._jobs.closed:
            job = self._jobs.get(max(0.0, next_look - time.monotonic()))
            if job is not None:
                self._do(proxy, job)
            if time.monotonic() >= next_look:
                self._look(proxy)
                next_look = time.monotonic() + LOOK_INTERVAL
        return "closed"

    def _look(self, proxy: tango.DeviceProxy) -> None:
        """Read everything small in one call, and the preview when events left it behind."""
        self._read(proxy, SMALL)
        counted, shown = self._readings.get("FrameCount"), self._readings.get(PREVIEW)
        if counted.time - shown.time > _SAME_SNAPSHOT:
            self._read(proxy, (PREVIEW,))

    def _read(self, proxy: tango.DeviceProxy, names: tuple[str, ...]) -> None:
        changed = False
        for name, attribute in zip(names, proxy.read_attributes(list(names)), strict=True):
            before, reading = self._readings.get(name), reading_of(attribute)
            if before.time and reading.time == before.time:
                continue
            changed |= self._readings.put(name, reading)
        if changed:
            self._listener.readings_changed()

    def _do(self, proxy: tango.DeviceProxy, job: Job) -> None:
        result, failure = None, None
        try:
            proxy.set_timeout_millis(_JOB_TIMEOUT_MS)
            result = job.run(proxy)
        except tango.DevFailed as error:
            failure = error_text(error)
        except (ValueError, TypeError) as error:
            failure = f"{job.key}: the device answered what cannot be read ({error})."
        finally:
            proxy.set_timeout_millis(_LOOK_TIMEOUT_MS)
        if job.rereads:
            try:
                self._read(proxy, job.rereads)
            except tango.DevFailed as error:
                failure = failure or error_text(error)
            self._readings.touch(job.rereads)
            self._listener.readings_changed()
        self._listener.job_ended(job, result, failure)


def read_together(proxy: tango.DeviceProxy, *names: str) -> dict[str, Any]:
    """Read attributes in one call, for a job.

    Returns:
        Their values by name; None where there is none.
    """
    attributes = proxy.read_attributes(list(names))
    return {n: reading_of(a).value for n, a in zip(names, attributes, strict=True)}
