"""Watch whether each part of the pipeline is alive, and ask the reducer whether frames are safe."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from femtotango.component import pulse
from femtotango.component.pulse import Pulses
from femtotango.component.raw_data import Signs
from femtotango.component.settings_sync import SettingsSync
from femtotango.dranspose_client.addresses import Addresses
from femtotango.dranspose_client.controller import Controller
from femtotango.dranspose_client.published import fetch_group
from femtotango.dranspose_client.reducer import Reducer
from femtotango.dranspose_client.services import Config
from femtotango.errors import PipelineError
from pipeline.protocols.packed_datasets import FrameSafety
from pipeline.protocols.published_paths import FRAME_SAFETY

logger = logging.getLogger(__name__)

MAX_AGE = 2.0
"""Permission never rests on what is older [s]."""
_MARGIN = 0.15
"""Of that, what it takes to switch raw saving on [s]."""
_ANSWER_AGE = 1.3
"""An answer of the reducer that is older means that it hangs [s]."""
_SILENCE = 1.7
"""A part that has shown no life for so long hangs [s]. What the controller lists may be half a
second old, and the newest pulse 0.3 s older than that."""
_SILENCE_IN_SCAN = 7.0
"""A worker or ingester that does not take over a pulse for so long in a scan hangs [s].

A false alarm costs the scan, and on a busy machine 3 s were too few; what `up` kills is noticed
sooner.
"""
_ASK = 0.2
_ASK_IDLE = 0.5
_PATIENCE = 0.8
"""One request may take so long [s]."""
_PULSE = 0.3
_PULSE_IN_SCAN = 2.0
"""Each costs every service some milliseconds [s]."""
_LOOK = 0.1


class VitalSigns:
    """Two threads, so that a controller that hangs does not keep the reducer from being asked.

    Pulses are sent only while somebody watches.
    """

    def __init__(self, addresses: Addresses, sync: SettingsSync) -> None:
        """Keep the parts; `start_pulse` and `start_asking` begin the threads.

        Args:
            addresses: of controller and reducer.
            sync: posts the pulses, between the settings.
        """
        self._controller = Controller(addresses.controller)
        self._reducer = Reducer(addresses.reducer)
        self._sync = sync
        self._lock = threading.Lock()
        self._pulses = Pulses()
        self._answer = Signs(away="the reducer was not asked yet.")
        self._closely = False
        self._in_scan = False
        self._watched = threading.Event()
        """Set while pulses are sent."""
        self._closing = threading.Event()
        self._pulse = threading.Thread(target=self._feel_pulse, name="femtomax-pulse", daemon=True)
        self._asking = threading.Thread(
            target=self._ask_reducer, name="femtomax-safety", daemon=True
        )

    def start_pulse(self) -> None:
        """Be ready to look for life."""
        self._pulse.start()

    def start_asking(self) -> None:
        """Begin to ask the reducer whether frames are safe."""
        self._asking.start()

    def close(self) -> None:
        """End the threads and the connections."""
        self._closing.set()
        self._watched.set()
        for thread in (self._pulse, self._asking):
            if thread.is_alive():
                thread.join(timeout=2 * _PATIENCE)
        self._controller.close()
        self._reducer.close()

    def watch_closely(self, on: bool) -> None:
        """Begin or end to look for life often; each beginning knows nothing."""
        with self._lock:
            if on and not self._closely:
                self._pulses = Pulses(begun=time.monotonic())
            self._closely = on
            self._watch()

    def watch_scan(self, on: bool) -> None:
        """Begin or end to look for life in a scan."""
        with self._lock:
            if on and not (self._in_scan or self._closely):
                self._pulses = Pulses()
            self._in_scan = on
            self._watch()

    def _watch(self) -> None:
        if self._closely or self._in_scan or self._closing.is_set():
            self._watched.set()
        else:
            self._watched.clear()

    def see(self, config: Config, asked: float) -> None:
        """Take in what the controller was asked for anyway; enough in a scan.

        Args:
            config: what it lists.
            asked: when, monotonic [s].
        """
        with self._lock:
            if self._in_scan and not self._closely:
                self._pulses = pulse.seen(self._pulses, config, self._sync.sent, asked)

    def silent_in_scan(self) -> frozenset[tuple[str, str]]:
        """Return name and uuid of workers and ingesters that hang, while a scan is watched."""
        with self._lock:
            pulses, in_scan = self._pulses, self._in_scan
        if not in_scan:
            return frozenset()
        return pulse.silent_services(pulses, self._sync.sent, _SILENCE_IN_SCAN)

    def read(self, late: float = 0.0) -> Signs:
        """Return what is known now.

        Args:
            late: how long the caller was held up by a busy machine [s]. These threads may have
                been held up as well, so their bounds grow by it; never beyond `MAX_AGE`.
        """
        now = time.monotonic()
        with self._lock:
            pulses, answer = self._pulses, self._answer

        def bound(usual: float) -> float:
            return min(usual + late, MAX_AGE - _MARGIN)

        away = silence = ""
        if now - answer.asked > bound(_ANSWER_AGE):
            away = answer.away or "the reducer has not answered in time."
        if silent := pulse.silent(pulses, self._sync.sent, now, bound(_SILENCE)):
            silence = f"no sign of life of {', '.join(silent)}: look at these processes."
        return Signs(answer.safety, answer.asked, away, silence)

    # The threads

    def _feel_pulse(self) -> None:
        number = 0
        while not self._closing.is_set():
            self._watched.wait()
            begin = time.monotonic()
            number += 1
            self._guarded(partial(self._sync.pulse, str(number).encode(), _PATIENCE))
            while not self._closing.is_set() and time.monotonic() < begin + self._period:
                if self._closely:
                    self._guarded(self._list)
                self._closing.wait(_LOOK)

    @property
    def _period(self) -> float:
        return _PULSE if self._closely else _PULSE_IN_SCAN

    def _list(self) -> None:
        config = self._controller.config(_PATIENCE)
        with self._lock:
            self._pulses = pulse.seen(self._pulses, config, self._sync.sent, time.monotonic())

    def _ask_reducer(self) -> None:
        while not self._closing.is_set():
            begin = time.monotonic()
            try:
                self._ask()
            except PipelineError as error:
                with self._lock:
                    self._answer = replace(self._answer, away=str(error))
            except Exception:  # the watch goes on, whatever it is
                logger.exception("the reducer could not be asked whether frames are safe")
            period = _ASK if self._closely else _ASK_IDLE
            self._closing.wait(max(0.0, begin + period - time.monotonic()))

    def _ask(self) -> None:
        begin = time.monotonic()
        safety = fetch_group(self._reducer, FrameSafety, FRAME_SAFETY, _PATIENCE)
        with self._lock:
            self._answer = Signs(safety, begin)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except PipelineError:
            # Silence is noticed by its length.
            self._closing.wait(_LOOK)
        except Exception:
            logger.exception("the pulse of the pipeline could not be felt")
            self._closing.wait(_LOOK)
