"""The Balor's own device: its SaveRaw, watched, and switched on when a frame may not be safe."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

import tango

from femtotango.component import save_raw_interlock as interlock
from femtotango.component.raw_data import RawData, Signs
from femtotango.component.scan_progress import Scan
from femtotango.component.vital_signs import VitalSigns
from femtotango.errors import NoBalor, NotTrusted

logger = logging.getLogger(__name__)

_ATTRIBUTE = "SaveRaw"
_LOOK = 0.5
"""How often the camera is asked for its SaveRaw [s]."""
_CLOSELY = 0.1
"""How often permission is judged while raw data are not saved [s]."""
_LIFE = 2.0
"""A client who writes false waits so long for a sign of life of each part [s]."""
_POLL = 0.05
_TIMEOUT_MS = 1000


@dataclass(frozen=True)
class Seen:
    """What clients of the analysis see of the camera's raw data."""

    save_raw: bool | None = None
    """None: not known."""
    alarm: str = ""
    note: str = ""
    """Why the camera cannot be asked, where nothing is lost by it."""
    unsafe_frames: str = ""


class Balor:
    """Reads and writes SaveRaw of another device; a thread keeps watch."""

    def __init__(
        self,
        device: str,
        signs: VitalSigns,
        scan: Callable[[], Scan],
        tell: Callable[[Seen], None],
        keep: Callable[[RawData], None],
        before: RawData | None = None,
    ) -> None:
        """Keep the parts; `start` begins the watch.

        Args:
            device: Tango name of the Balor; empty: there is none.
            signs: tells how the pipeline is.
            scan: gives the newest scan.
            tell: is told what clients see.
            keep: writes down what the next life has to know, whatever happens to this one.
            before: what the life before has left; None: nothing.
        """
        self.device = device
        self._signs = signs
        self._scan = scan
        self._tell = tell
        self._keep = keep
        self._proxy: tango.DeviceProxy | None = None
        self._lock = threading.RLock()
        """A look and a client's write do not mix."""
        self._state = before or RawData()
        self._save_raw: bool | None = None
        self._problem = ""
        """Why the camera could not be asked last."""
        self._saved_up_to: tuple[str, int] | None = None
        """Trigger map and newest frame when SaveRaw was seen true last."""
        self._look_due = 0.0
        self._asking = 0
        """Clients that want to switch raw saving off."""
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="femtomax-balor", daemon=True)

    @property
    def state(self) -> RawData:
        """What the next life has to know."""
        return self._state

    def start(self) -> None:
        """Begin to watch."""
        if self.device:
            self._signs.start_asking()
        if self._state.drop is not None and self._state.drop.raw_off:
            # No life leaves it so, unless it is killed.
            self._state = interlock.lose(self._state, interlock.KILLED, None)
        self._thread.start()

    def close(self) -> None:
        """End the watch; nobody watches then, so raw data are saved. Call without the monitor."""
        self._closing.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5.0)
        with self._lock:
            state = self._state
            if state.drop is not None and state.drop.raw_off:
                signs = self._signs.read()
                state = interlock.follow(state, signs, self._scan(), time.monotonic())
                if state.drop is not None and state.drop.raw_off:
                    state = interlock.lose(state, interlock.ENDED, signs.safety)
            if state.off:
                try:
                    state = self._switch_on(state)
                except NoBalor:
                    logger.exception("SaveRaw could not be switched on at the end")
            self._change(state)

    def write(self, value: bool) -> None:
        """Write SaveRaw for a client.

        Raises:
            NotTrusted: it must stay true.
            NoBalor: there is no such device, it does not answer, or it refuses.
        """
        try:
            if value:
                with self._lock:
                    self._write(True)
                    self._change(interlock.switched_on(self._state, self._signs.read()))
            else:
                self._asking += 1
                self._signs.watch_closely(True)
                try:
                    self._wait_for_life()
                    self._switch_off()
                finally:
                    self._asking -= 1
        finally:
            self._look_due = 0.0
            self._wake.set()

    def acknowledge(self) -> None:
        """Forget what was lost: somebody has seen it."""
        with self._lock:
            self._change(interlock.acknowledge(self._state, self._signs.read()))
        self._wake.set()

    def _wait_for_life(self) -> None:
        """Wait until each part has shown life, when nothing else is in the way."""
        deadline = time.monotonic() + _LIFE
        while time.monotonic() < deadline:
            signs = self._signs.read()
            reason = interlock.why_not(signs, self._scan())
            if not reason or reason != signs.silent or self._closing.wait(_POLL):
                return

    def _switch_off(self) -> None:
        with self._lock:
            if self._closing.is_set():
                raise NotTrusted("SaveRaw stays true: the device is being ended or initialised.")
            before = self._state
            # Written down first: whoever comes after a kill has to know.
            self._change(interlock.allow(before, self._signs.read(), self._scan()))
            try:
                self._write(False)
            except NoBalor:
                # Who does not answer in time may have taken it all the same.
                self._change(replace(before, off=True))
                raise

    # The camera

    def _read(self) -> bool:
        try:
            value = self._connect().read_attribute(_ATTRIBUTE).value  # pyright: ignore[reportAttributeAccessIssue]
        except tango.DevFailed as error:
            raise self._unusable(error.args[0].desc) from error
        if value is None:
            raise self._unusable("it has no valid value now")
        return bool(value)

    def _write(self, value: bool) -> None:
        try:
            proxy = self._connect()
            proxy.ping()  # PyTango raises TypeError when it writes to a device that is away
            proxy.write_attribute(_ATTRIBUTE, value)
        except tango.DevFailed as error:
            raise self._unusable(error.args[0].desc) from error
        self._save_raw = value

    def _switch_on(self, state: RawData) -> RawData:
        self._write(True)
        return replace(state, off=False)

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

    # The watch

    def _run(self) -> None:
        late = 0.0
        with tango.EnsureOmniThread():
            while not self._closing.is_set():
                try:
                    with self._lock:
                        seen = self._poll(late)
                except Exception as error:  # the interlock goes on, whatever it is
                    logger.exception("SaveRaw could not be watched")
                    with self._lock:
                        seen = self._give_up(error)
                self._tell(seen)
                closely = self._state.drop is not None
                self._signs.watch_closely(closely or self._asking > 0)
                late = self._pause(_CLOSELY if closely else _LOOK)

    def _give_up(self, error: Exception) -> Seen:
        """Save raw data, for nobody can tell whether frames are safe."""
        trouble = f"SaveRaw of {self.device} cannot be watched: {error!r}."
        self._change(interlock.lose(self._state, trouble, None))
        if self._state.off:
            with suppress(NoBalor):
                self._state = self._switch_on(self._state)
        alarm = _lines(interlock.alarm(self._state), trouble)
        return Seen(None, alarm, "", self._state.unsafe_frames)

    def _pause(self, seconds: float) -> float:
        """Wait; return how much longer it took because the machine is busy [s]."""
        begin = time.monotonic()
        woken = self._wake.wait(seconds)
        self._wake.clear()
        return 0.0 if woken else max(0.0, time.monotonic() - begin - seconds)

    def _poll(self, late: float) -> Seen:
        now = time.monotonic()
        signs, scan = self._signs.read(late), self._scan()
        before = self._state
        if self.device:
            state = interlock.follow(before, signs, scan, now)
            state = interlock.unsaved_series(state, signs, scan)
            if now >= self._look_due or (state.must_save and not before.must_save):
                self._look_due = now + _LOOK
                state = self._guard(state, signs, scan)
            self._change(state)
        save_raw = None if self._problem else self._save_raw
        alarms = [
            interlock.alarm(self._state),
            interlock.compare_header(save_raw, self._state, signs, scan),
        ]
        note = self._problem
        if note and self._state.off:
            alarms.append(f"{note} SaveRaw was false when it was seen last.")
            note = ""
        return Seen(save_raw, _lines(*alarms), note, self._state.unsafe_frames)

    def _guard(self, state: RawData, signs: Signs, scan: Scan) -> RawData:
        """Look at the camera's SaveRaw, and switch it on when it must be."""
        self._problem = ""
        try:
            if state.off and state.must_save:
                state = self._switch_on(state)
                logger.warning("SaveRaw was switched on. %s", interlock.alarm(state))
            self._save_raw = self._read()
            if not self._save_raw and state.must_save:
                # Before the write: the frames are lost even if the camera refuses.
                state = interlock.found_false(state, signs, scan, self._saved_up_to)
                state = self._switch_on(state)
            elif self._save_raw and not state.must_save:
                state = interlock.switched_on(state, signs)
            if self._save_raw and signs.safety is not None:
                self._saved_up_to = signs.safety.mapping, signs.safety.newest
        except NoBalor as error:
            self._problem = str(error)
        return state

    def _change(self, state: RawData) -> None:
        """Take over a new state; write down at once what a next life must not miss."""
        before, self._state = self._state, state
        news = (before.drop is None) != (state.drop is None)
        if news or len(before.losses) != len(state.losses):
            self._keep(state)


def _lines(*texts: str) -> str:
    return "\n".join(text for text in texts if text)
