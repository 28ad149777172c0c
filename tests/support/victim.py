"""A stack that faults are done to, a detector that goes on whatever happens, and leaks."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import tango
from support.killing import INGESTERS, processes, ready
from support.leftovers import reserved_ports
from support.stack_parts import SIGNS, sign_of
from support.waiting import wait_for

from femtotango.errors import PipelineError
from femtotango.simulation.beamline import ScanPlayer
from femtotango.simulation.detector_socket import PushSource
from femtotango.simulation.sardana_records import post_record
from femtotango.stack.config import MIN_PATIENCE
from femtotango.stack.errors import StackError
from femtotango.stack.running import running
from pipeline.protocols.stins import Message, stins_end, stins_header, stins_image
from pipeline.simulation.scan import BurstScan, sardana_records

STREAM = "pilatus"
IMAGE = np.ones((24, 32), np.float32)
NEXT = BurstScan(steps=2, burst=3)
"""The scan that has to work after a fault."""
_FEW_FILES = 12
"""So many more open files are no leak: connections that are just being made."""
_LEAK_LIMIT = 60.0
PARTS = {
    "Redis": SIGNS["redis"],
    "controller": SIGNS["controller"],
    "camera ingester": sign_of(STREAM),
    "Sardana ingester": SIGNS["Sardana ingester"],
    "worker": sign_of("worker1"),
    "reducer": SIGNS["reducer"],
    "device": SIGNS["device"],
    "Tango database": SIGNS["Tango database"],
    "up": "",
}
"""What the command line of each part has; `up` is the parent of all."""
EXCUSES = (
    tango.DevFailed,
    StackError,
    PipelineError,
    httpx.HTTPError,
    psutil.NoSuchProcess,
    AttributeError,  # PyTango's, for the commands of a device that is away
)
"""What a client may meet while a stack is not whole."""


class Victim:
    """A stack of one camera that has little patience with what hangs, and keeps its state."""

    def __init__(self, folder: Path, extra: str = "") -> None:
        """Keep where it runs.

        Args:
            folder: of its configuration and state.
            extra: more lines for the configuration.
        """
        self.folder = folder
        self._stack = ExitStack()
        self._config = folder / "stack.toml"
        text = f'patience = {MIN_PATIENCE}\n{extra}\n[streams]\n{STREAM} = ""\n'
        self._config.write_text(text)
        self.info: dict[str, Any] = {}

    def start(self) -> None:
        """Start it, or start it again on the same state after its end."""
        self._stack.close()
        state = str(self.folder / "state")
        arguments = ["up", "--state", state, "--config", str(self._config)]
        self.info = self._stack.enter_context(running(arguments))

    def close(self) -> None:
        """End it."""
        self._stack.close()
        self.info = {}

    @contextmanager
    def player(self) -> Iterator[ScanPlayer]:
        """Give a client of its own, which knows nothing of what was before."""
        with ScanPlayer(self.info) as player:
            yield player

    def process(self, part: str) -> psutil.Process:
        """Return the process of one of `PARTS`."""
        if part == "up":
            return psutil.Process(self.info["pid"])
        (pid,) = [p for p, line in processes(self.info).items() if PARTS[part] in line]
        return psutil.Process(pid)

    def whole(self) -> bool:
        """Tell whether every part is there and well."""
        try:
            parts = {p: self.process(p) for p in PARTS}
            stopped = [p for p in parts.values() if p.status() == psutil.STATUS_STOPPED]
            with ScanPlayer(self.info) as player:
                state = player.device.state()
            return (
                not stopped
                and ready(self.info, (), INGESTERS)
                and state in (tango.DevState.ON, tango.DevState.ALARM)
            )
        except (*EXCUSES, ValueError):
            return False

    def wait_whole(self) -> None:
        """Wait for that."""
        wait_for(self.whole, "every part of the stack")


class Detector:
    """Sends one series and its records until it is told to end, whoever takes them."""

    def __init__(self, info: dict[str, Any], scan: BurstScan, rate: float = 25.0) -> None:
        self.sent = 0
        """Frames that somebody took."""
        self._info, self._scan, self._rate = info, scan, rate
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)

    def __enter__(self) -> "Detector":
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.end()

    def end(self) -> None:
        """Halt, when it has not ended by itself."""
        self._end.set()
        self._thread.join()

    @property
    def done(self) -> bool:
        """True when it has sent all, or has given up."""
        return not self._thread.is_alive()

    def join(self) -> None:
        """Wait for the end of the series."""
        self._thread.join()

    def _send(self) -> None:
        source = PushSource(self._info["streams"][STREAM])
        records = sardana_records(self._scan)
        frames = self._scan.steps * self._scan.burst
        try:
            with httpx.Client(trust_env=False, timeout=1.0) as http:
                self._record(http, records[0])
                self._push(source, stins_header(0))
                begin = time.monotonic()
                while not self._end.is_set() and self.sent < frames:
                    image = stins_image(self.sent + 1, self.sent, IMAGE)
                    if not self._push(source, image):
                        return
                    self.sent += 1
                    if self.sent % self._scan.burst == 0:
                        self._record(http, records[self.sent // self._scan.burst])
                    self._end.wait(max(0.0, begin + self.sent / self._rate - time.monotonic()))
                if self.sent == frames:
                    self._push(source, stins_end(frames + 1))
                    self._record(http, records[-1])
        finally:
            # What nobody has taken is not sent to the next scan: the detector was halted.
            source.close(2.0 if self.sent == frames else 0.0)

    def _push(self, source: PushSource, message: Message) -> bool:
        for _ in range(10):
            try:
                source.send([message], patience=0.0)
                return True
            except StackError:
                if self._end.is_set():
                    return False
        return False

    def _record(self, http: httpx.Client, record: dict[str, Any]) -> None:
        with suppress(StackError):  # the recorder goes on as well
            post_record(http, self._info["sardana"], record)


class Attempts:
    """Tries scans, as an operator who calls nothing but PrepareScan, until one has all frames."""

    def __init__(self, victim: Victim) -> None:
        self._victim = victim
        self.sent = 0
        """Frames of all attempts."""
        self.in_vain = 0
        """Scans that began and lost frames."""
        self.refused = ""
        """Why the newest one did not begin, or did not end."""

    def until_one_works(self, since: float) -> float:
        """Return when, after a moment, a whole scan was through [s]."""
        wait_for(self._works, lambda: f"a scan that works ({self.in_vain} did not): {self.refused}")
        return time.monotonic() - since

    def _works(self) -> bool:
        frames = NEXT.steps * NEXT.burst
        try:
            with self._victim.player() as player:
                player.prepare(STREAM, NEXT)
                before = player.read("FrameCount")
                with Detector(player.info, NEXT, rate=200.0) as detector:
                    detector.join()
                self.sent += detector.sent
                player.wait_finished()
                # A sum that a new reducer has not yet published counts from nothing; more come when
                # the workers bring what they had of the scan before.
                more = player.read("FrameCount") - (before or 0)
                if detector.sent == frames and more >= frames:
                    return True
                self.in_vain += 1
        except EXCUSES as error:
            self.refused = str(error)
            time.sleep(0.1)
        return False


class Leaks:
    """Looks, before a fault and after it, at processes, open files and temporary files."""

    def __init__(self, victim: Victim, temporary: Callable[[], set[str]]) -> None:
        self._victim, self._temporary = victim, temporary
        self._before = self._look()
        self._files = temporary()
        self._ports = len(reserved_ports())

    def _look(self) -> dict[int, tuple[str, int]]:
        found = {}
        for pid, line in {**processes(self._victim.info), self._victim.info["pid"]: "up"}.items():
            with suppress(psutil.NoSuchProcess):
                found[pid] = (line, psutil.Process(pid).num_fds())
        return found

    def check(self) -> None:
        """Wait until nothing is left of the fault.

        Raises:
            AssertionError: something is.
        """
        wait_for(lambda: not self._found(), lambda: str(self._found()), _LEAK_LIMIT)

    def _found(self) -> list[str]:
        now = self._look()
        found = []
        if len(now) != len(self._before):
            found.append(f"{len(now)} processes, not {len(self._before)}: {sorted(now.values())}")
        for pid in now.keys() & self._before.keys():
            more = now[pid][1] - self._before[pid][1]
            if more > _FEW_FILES:
                found.append(f"{more} more open files in {now[pid][0]}")
        # Their number: what is started again has a folder of another name.
        if len(files := self._temporary()) > len(self._files):
            found.append(f"temporary files {files - self._files}")
        if len(reserved_ports()) > self._ports:
            found.append(f"ports {reserved_ports()}")
        return found
