"""The Balor's own device: its SaveRaw, watched and taken back when trust is lost."""

import logging
import threading
import time
from collections.abc import Callable

import tango

from femtotango.component import save_raw_interlock as interlock
from femtotango.component.kept import KeptRawData
from femtotango.component.state import View
from femtotango.errors import NoBalor

logger = logging.getLogger(__name__)

_ATTRIBUTE = "SaveRaw"
_INTERVAL = 0.5
"""Trust lost is raw data saved again within four of these [s]."""
_TIMEOUT_MS = 1000


class Balor:
    """Reads and writes SaveRaw of another device; a thread keeps watch."""

    def __init__(
        self,
        device: str,
        view: Callable[[], View],
        tell: Callable[[bool | None, str, str], None],
        kept: KeptRawData | None = None,
    ) -> None:
        """Keep the parts; `start` begins the watch.

        Args:
            device: Tango name of the Balor; empty: there is none.
            view: gives the newest view.
            tell: is told SaveRaw (None: not known), the alarm and a note.
            kept: what the life before has left; None: nothing.
        """
        kept = kept or KeptRawData()
        self.device = device
        self._view = view
        self._tell = tell
        self._proxy: tango.DeviceProxy | None = None
        self._lock = threading.Lock()
        """A look and a client's write do not mix."""
        self._seen = kept.seen
        """SaveRaw as it was known last."""
        self._losses = kept.losses
        self._at_work = time.monotonic()
        """When the pipeline was at work last."""
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="femtomax-balor", daemon=True)

    def start(self) -> None:
        """Begin to watch; the pipeline has its time to answer from now on."""
        self._at_work = time.monotonic()
        self._thread.start()

    def close(self) -> None:
        """End the watch; call without the device's monitor."""
        self._closing.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5.0)

    def keep(self) -> KeptRawData:
        """Return what the next life has to know."""
        return KeptRawData(self._losses, self._seen)

    def write(self, value: bool) -> None:
        """Write SaveRaw for a client; what was lost before is acknowledged by it.

        Raises:
            NoBalor: there is no such device, it does not answer, or it refuses.
        """
        with self._lock:
            self._write(value)
            self._losses = ()
        self._wake.set()

    def _read(self) -> bool:
        try:
            value = self._connect().read_attribute(_ATTRIBUTE).value  # pyright: ignore[reportAttributeAccessIssue]
        except tango.DevFailed as error:
            raise self._unusable(error.args[0].desc) from error
        if value is None:
            raise self._unusable("it has no valid value now")
        self._seen = bool(value)
        return self._seen

    def _write(self, value: bool) -> None:
        try:
            proxy = self._connect()
            proxy.ping()  # PyTango raises TypeError when it writes to a device that is away
            proxy.write_attribute(_ATTRIBUTE, value)
        except tango.DevFailed as error:
            raise self._unusable(error.args[0].desc) from error
        self._seen = value

    def _connect(self) -> tango.DeviceProxy:
        if not self.device:
            raise NoBalor("No Balor is known: give its Tango name in the property BalorDevice.")
        if self._proxy is None:
            proxy = tango.DeviceProxy(self.device)
            proxy.set_timeout_millis(_TIMEOUT_MS)
            self._proxy = proxy
        return self._proxy

    def _unusable(self, reason: str) -> NoBalor:
        return NoBalor(
            f"SaveRaw of {self.device} cannot be used ({reason.strip()}): "
            "is its device server running, is BalorDevice right?"
        )

    def _run(self) -> None:
        with tango.EnsureOmniThread():
            while not self._closing.is_set():
                try:
                    with self._lock:
                        told = self._poll(self._view())
                except Exception as error:  # the interlock goes on, whatever PyTango raises
                    logger.exception("SaveRaw could not be watched")
                    trouble = f"SaveRaw of {self.device} cannot be watched: {error!r}."
                    told = None, _lines(interlock.alarm(self._losses), trouble), ""
                self._tell(*told)
                self._wake.wait(_INTERVAL)
                self._wake.clear()

    def _poll(self, view: View) -> tuple[bool | None, str, str]:
        now = time.monotonic()
        if not interlock.pipeline_problem(view):
            self._at_work = now
        self._losses = interlock.name_frames(self._losses, view.results)
        save_raw, problem = self._guard(view, now - self._at_work) if self.device else (None, "")
        alarms = [interlock.alarm(self._losses), interlock.compare_header(save_raw, view)]
        if problem and self._seen is False:
            alarms.append(f"{problem} SaveRaw was false when it was seen last.")
            problem = ""
        return save_raw, _lines(*alarms), problem

    def _guard(self, view: View, away: float) -> tuple[bool | None, str]:
        """Return SaveRaw after what had to be done, and why that could not be done."""
        save_raw: bool | None = None
        try:
            save_raw = self._read()
            loss = interlock.watch(save_raw, view, away)
            if loss is not None:
                # Before the write: the frames are lost even if the camera refuses.
                self._losses = interlock.add(self._losses, loss)
                self._write(True)
                save_raw = True
                self._losses = interlock.saved_again(self._losses)
                logger.warning("%s", interlock.alarm(self._losses))
        except NoBalor as error:
            return save_raw, str(error)
        return save_raw, ""


def _lines(*texts: str) -> str:
    return "\n".join(text for text in texts if text)
