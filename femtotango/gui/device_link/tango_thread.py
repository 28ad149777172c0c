"""The one thread that talks to the device: a poll every second, subscriptions, and the jobs.

The window never waits for Tango. Events bring what changes at once; the poll each second tells
whether the device is there, and repairs whatever an event did not bring.
"""

import threading
import time
from typing import Any, Protocol

import numpy as np
import tango

from femtotango.gui.device_link.jobs import Job, JobQueue
from femtotango.gui.device_link.readings import Reading, Readings
from femtotango.gui.device_link.subscriptions import Subscriptions
from femtotango.gui.device_link.watched import PREVIEW, SMALL, WATCHED

_POLL_INTERVAL = 1.0
"""Seconds between two polls, and between two attempts to reach the device."""
_SAME_SNAPSHOT = 0.5
"""Seconds by which the preview may be older than the counters before it is read again."""
_READ_TIMEOUT_MS = 6000
"""A device that is silent for so long is away; on a busy machine 3 s would be too short."""
_CHANGE_TIMEOUT_MS = 20_000
"""A command may itself wait 10 s for a busy pipeline."""


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
    reasons = list(error.args)
    if reasons[0].reason == "API_CorbaException" and len(reasons) > 1:
        # The next one says the same in words, such as which timeout was exceeded.
        reasons.pop(0)
    first = reasons[0]
    lines = [line.strip() for line in str(first.desc).splitlines() if line.strip()]
    if not lines:
        return str(first.reason)
    if first.reason == "API_CantConnectToDevice":
        # More lines tell when Tango itself will try again.
        return lines[0]
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
    """Connect, poll, subscribe, do jobs; and again after each restart of the device."""

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
                try:
                    proxy = tango.DeviceProxy(self._device)
                except tango.DevFailed as error:
                    self._be_away(error_text(error))
                else:
                    self._serve(proxy)

    def _serve(self, proxy: tango.DeviceProxy) -> None:
        """Work with the device whenever it answers; Tango itself renews the subscriptions."""
        subscriptions = Subscriptions(proxy, WATCHED, self._on_event)
        try:
            while not self._jobs.closed:
                try:
                    self._poll(proxy)
                    # Who has no news since the device went has to show it again.
                    self._readings.touch(WATCHED)
                    self._listener.connection_changed(True, "")
                    self._work(proxy, subscriptions)
                except tango.DevFailed as error:
                    self._be_away(error_text(error))
        finally:
            subscriptions.close()

    def _be_away(self, reason: str) -> None:
        """Tell that the device does not answer, and refuse jobs until the next attempt."""
        self._listener.connection_changed(False, reason)
        end = time.monotonic() + _POLL_INTERVAL
        while not self._jobs.closed and (left := end - time.monotonic()) > 0:
            job = self._jobs.get(left)
            if job is not None:
                self._listener.job_ended(job, None, f"{self._device} is away: nothing was done.")

    def _on_event(self, name: str, attribute: Any) -> None:
        if self._readings.put(name, reading_of(attribute)):
            self._listener.readings_changed()

    def _work(self, proxy: tango.DeviceProxy, subscriptions: Subscriptions) -> None:
        """Do jobs as they come, polls when they are due, and subscribe while there is time."""
        next_poll = time.monotonic() + _POLL_INTERVAL
        while not self._jobs.closed:
            left = max(0.0, next_poll - time.monotonic())
            job = self._jobs.get(0.0 if subscriptions.waiting else left)
            if job is not None:
                succeeded = self._do(proxy, job)
            else:
                succeeded = not subscriptions.waiting or subscriptions.subscribe_next()
            # Each further call to a device that stands still would wait in vain.
            if not succeeded or time.monotonic() >= next_poll:
                self._poll(proxy)
                next_poll = time.monotonic() + _POLL_INTERVAL

    def _poll(self, proxy: tango.DeviceProxy) -> None:
        """Read everything small in one call, and the preview when events left it behind."""
        proxy.set_timeout_millis(_READ_TIMEOUT_MS)
        self._read(proxy, SMALL)
        counted, shown = self._readings.get("FrameCount"), self._readings.get(PREVIEW)
        if counted.time - shown.time > _SAME_SNAPSHOT:
            self._read(proxy, (PREVIEW,))

    def _read(self, proxy: tango.DeviceProxy, names: tuple[str, ...]) -> None:
        known = [self._readings.get(name) for name in names]
        attributes = proxy.read_attributes(list(names))
        changed = False
        for name, before, attribute in zip(names, known, attributes, strict=True):
            changed |= self._readings.put(name, reading_of(attribute), asked_after=before)
        if changed:
            self._listener.readings_changed()

    def _do(self, proxy: tango.DeviceProxy, job: Job) -> bool:
        result, failure = None, None
        try:
            proxy.set_timeout_millis(_CHANGE_TIMEOUT_MS if job.rereads else _READ_TIMEOUT_MS)
            result = job.run(proxy)
        except tango.DevFailed as error:
            failure = error_text(error)
        except (ValueError, TypeError) as error:
            failure = f"{job.key}: the device answered what cannot be read ({error})."
        if job.rereads:
            try:
                proxy.set_timeout_millis(_READ_TIMEOUT_MS)
                self._read(proxy, job.rereads)
            except tango.DevFailed as error:
                failure = failure or error_text(error)
            self._readings.touch(job.rereads)
            self._listener.readings_changed()
        self._listener.job_ended(job, result, failure)
        return failure is None


def read_together(proxy: tango.DeviceProxy, *names: str) -> dict[str, Any]:
    """Read attributes in one call, for a job.

    Returns:
        Their values by name; None where there is none.
    """
    attributes = proxy.read_attributes(list(names))
    return {n: reading_of(a).value for n, a in zip(names, attributes, strict=True)}
