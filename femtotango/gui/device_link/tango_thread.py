"""The one thread that calls the device: a poll every second, subscriptions, and jobs.

The window never waits for Tango. Events report changes at once; the poll once a second shows
whether the device answers, and brings what an event did not.
"""

import threading
import time
from typing import Any, Protocol

import numpy as np
import tango

from femtotango.gui.device_link.jobs import ChangedElsewhere, Job, JobQueue
from femtotango.gui.device_link.readings import Reading, Readings
from femtotango.gui.device_link.subscriptions import Subscriptions
from femtotango.gui.device_link.watched import PREVIEW, SMALL, WATCHED

_POLL_INTERVAL = 1.0
"""Seconds between two polls, and between two attempts to reach the device."""
_SAME_SNAPSHOT = 0.5
"""Seconds by which the preview may be older than the counters before it is read again."""
_READ_TIMEOUT_MS = 6000
"""After this long without an answer the device counts as away; busy machines need above 3 s."""
_CHANGE_TIMEOUT_MS = 20_000
"""A command may itself wait 10 s for a busy pipeline."""


class Listener(Protocol):
    """What the thread reports to; called in this thread or in Tango's own."""

    def readings_changed(self) -> None:
        """At least one reading changed."""
        ...

    def connection_changed(self, connected: bool, reason: str) -> None:
        """The device answers, or no longer answers for this reason."""
        ...

    def job_ended(self, job: Job, result: Any, error: str | None) -> None:
        """A job ended; with an error text it failed."""
        ...


def error_text(error: tango.DevFailed) -> str:
    """Return what went wrong as one line, without a traceback."""
    reasons = list(error.args)
    if reasons[0].reason == "API_CorbaException" and len(reasons) > 1:
        # The next entry says it in words, such as which timeout was exceeded.
        reasons.pop(0)
    first = reasons[0]
    lines = [line.strip() for line in str(first.desc).splitlines() if line.strip()]
    if not lines:
        return str(first.reason)
    if first.reason == "API_CantConnectToDevice":
        # The other lines are about when Tango will try again.
        return lines[0]
    return lines[-1] if first.reason.startswith("PyDs_") else " ".join(lines)


def reading_of(attribute: Any) -> Reading:
    """Return a `tango.DeviceAttribute` as a reading, without value when INVALID or failed."""
    time_stamp = attribute.time.totime() if attribute.time is not None else 0.0
    if attribute.has_failed or attribute.quality == tango.AttrQuality.ATTR_INVALID:
        return Reading(None, time_stamp)
    value = attribute.value
    if value is None and attribute.data_format != tango.AttrDataFormat.SCALAR:
        value = np.empty((0, 0) if attribute.data_format == tango.AttrDataFormat.IMAGE else 0)
    return Reading(value, time_stamp)


class TangoThread(threading.Thread):
    """Connect, poll, subscribe and do jobs; start over when the device comes back."""

    def __init__(self, device: str, readings: Readings, jobs: JobQueue, listener: Listener) -> None:
        super().__init__(name=f"tango {device}", daemon=True)
        self._device = device
        self._readings = readings
        self._jobs = jobs
        self._listener = listener
        self.extra: tuple[str, ...] = ()
        """Attributes to watch besides those that are always watched; set by the window."""

    def run(self) -> None:
        """Serve until the queue of jobs is closed."""
        with tango.EnsureOmniThread():
            while not self._jobs.closed:
                try:
                    proxy = tango.DeviceProxy(self._device)
                except tango.DevFailed as error:
                    self._wait_for_device(error_text(error))
                else:
                    self._serve(proxy)

    def _serve(self, proxy: tango.DeviceProxy) -> None:
        """Work with the device while it answers; after a restart Tango renews the subscriptions."""
        subscriptions = Subscriptions(proxy, WATCHED, self._on_event)
        try:
            while not self._jobs.closed:
                try:
                    self._poll(proxy)
                    # Widgets show their values again, changed or not.
                    self._readings.touch((*WATCHED, *self.extra))
                    self._listener.connection_changed(True, "")
                    self._work(proxy, subscriptions)
                except tango.DevFailed as error:
                    self._wait_for_device(error_text(error))
        finally:
            subscriptions.close()

    def _wait_for_device(self, reason: str) -> None:
        """Report that the device does not answer, and refuse jobs until the next attempt."""
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
        """Do jobs first, poll when it is due, and subscribe in the time left."""
        next_poll = time.monotonic() + _POLL_INTERVAL
        while not self._jobs.closed:
            subscriptions.follow(self.extra)
            left = max(0.0, next_poll - time.monotonic())
            job = self._jobs.get(0.0 if subscriptions.waiting else left)
            if job is not None:
                succeeded = self._do(proxy, job)
            else:
                succeeded = not subscriptions.waiting or subscriptions.subscribe_next()
            # If the device has stopped, each further call would only wait for its timeout.
            if not succeeded or time.monotonic() >= next_poll:
                self._poll(proxy)
                next_poll = time.monotonic() + _POLL_INTERVAL

    def _poll(self, proxy: tango.DeviceProxy) -> None:
        """Read everything small in one call, and a preview when its event is missing."""
        proxy.set_timeout_millis(_READ_TIMEOUT_MS)
        extra = self.extra
        previews = [PREVIEW, *(name for name in extra if name.startswith(PREVIEW))]
        self._read(proxy, (*SMALL, *(name for name in extra if name not in previews)))
        counted = self._readings.get("FrameCount")
        for preview in previews:
            if counted.time - self._readings.get(preview).time > _SAME_SNAPSHOT:
                self._read(proxy, (preview,))

    def _read(self, proxy: tango.DeviceProxy, names: tuple[str, ...]) -> None:
        before = [self._readings.get(name) for name in names]
        attributes = proxy.read_attributes(list(names))
        changed = False
        for name, old, attribute in zip(names, before, attributes, strict=True):
            changed |= self._readings.put(name, reading_of(attribute), read_after=old)
        if changed:
            self._listener.readings_changed()

    def _do(self, proxy: tango.DeviceProxy, job: Job) -> bool:
        result, failure = None, None
        try:
            proxy.set_timeout_millis(_CHANGE_TIMEOUT_MS if job.rereads else _READ_TIMEOUT_MS)
            result = job.run(proxy)
        except tango.DevFailed as error:
            failure = error_text(error)
        except ChangedElsewhere as error:
            failure = str(error)
        except (ValueError, TypeError) as error:
            failure = f"{job.key}: the answer of the device cannot be read ({error})."
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
