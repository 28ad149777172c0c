"""The Balor's own device: its SaveRaw, watched and taken back when trust is lost."""

import logging
import threading
import time
from collections.abc import Callable

import tango

from femtotango.errors import NoBalor
from femtotango.observer import Observation
from femtotango.save_raw import compare_header, watch

logger = logging.getLogger(__name__)

_ATTRIBUTE = "SaveRaw"
_INTERVAL = 0.5
"""Trust lost is raw data saved again within four of these [s]."""
_TIMEOUT_MS = 1000
_START = 1.0
"""So long the results have to come in after the start before trust is judged [s]."""


class Balor:
    """Reads and writes SaveRaw of another device; a thread keeps watch."""

    def __init__(
        self,
        device: str,
        results: Callable[[], Observation],
        tell: Callable[[bool | None, str], None],
    ) -> None:
        """Keep the parts; `start` begins the watch.

        Args:
            device: Tango name of the Balor; empty: there is none.
            results: gives the newest observation.
            tell: is told SaveRaw (None: not known) and the alarm.
        """
        self.device = device
        self._results = results
        self._tell = tell
        self._proxy: tango.DeviceProxy | None = None
        self._alarm = ""
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="femtomax-balor", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def close(self) -> None:
        """End the watch; call without the device's monitor."""
        self._closing.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5.0)

    def read(self) -> bool:
        """Read SaveRaw.

        Raises:
            NoBalor: there is no such device, or it does not answer.
        """
        try:
            return bool(self._connect().read_attribute(_ATTRIBUTE).value)  # pyright: ignore[reportAttributeAccessIssue]
        except tango.DevFailed as error:
            raise self._unusable(error) from error

    def write(self, value: bool) -> None:
        """Write SaveRaw.

        Raises:
            NoBalor: there is no such device, or it does not answer.
        """
        try:
            proxy = self._connect()
            proxy.ping()  # PyTango raises TypeError when it writes to a device that is away
            proxy.write_attribute(_ATTRIBUTE, value)
        except tango.DevFailed as error:
            raise self._unusable(error) from error
        self._alarm = ""
        self._wake.set()

    def _connect(self) -> tango.DeviceProxy:
        if not self.device:
            raise NoBalor("No Balor is known: give its Tango name in the property BalorDevice.")
        if self._proxy is None:
            proxy = tango.DeviceProxy(self.device)
            proxy.set_timeout_millis(_TIMEOUT_MS)
            self._proxy = proxy
        return self._proxy

    def _unusable(self, error: tango.DevFailed) -> NoBalor:
        return NoBalor(
            f"SaveRaw of {self.device} cannot be used ({error.args[0].desc.strip()}): "
            "is its device server running, is BalorDevice right?"
        )

    def _run(self) -> None:
        with tango.EnsureOmniThread():
            begin = time.monotonic()
            while not self._closing.is_set():
                results = self._results()
                if results.error is None or time.monotonic() - begin > _START:
                    self._look(results)
                self._wake.wait(_INTERVAL)
                self._wake.clear()

    def _look(self, results: Observation) -> None:
        save_raw: bool | None = None
        problem = ""
        if self.device:
            try:
                save_raw = self.read()
                interlock = watch(save_raw, results)
                if interlock.take_back:
                    self.write(True)
                    save_raw = True
                    self._alarm = interlock.alarm
                    logger.warning("%s", interlock.alarm)
            except NoBalor as error:
                problem = str(error)
        texts = [self._alarm, problem, compare_header(save_raw, results)]
        self._tell(save_raw, "\n".join(text for text in texts if text))
