"""Trigger maps on their way to the services, with the waits that make them safe."""

import math
import threading
import time

from femtotango.component.settings_sync import SettingsSync
from femtotango.dranspose_client.controller import Controller
from femtotango.dranspose_client.reducer import Reducer
from femtotango.dranspose_client.sardana_ingester import SardanaIngester
from femtotango.dranspose_client.services import Config, Progress
from femtotango.dranspose_client.trigger_maps import TriggerMap, flush_map
from femtotango.errors import Interrupted, NotReady, PipelineError
from pipeline.protocols.published_paths import ACCUMULATED_NUMBER, FRAMES
from pipeline.protocols.sardana import SARDANA

_SETTLE = 12.0
"""A killed service stays listed for 10 s; longer nobody waits for the others [s]."""
_ASSIGN = 5.0
_AFTER_ASSIGN = 0.1
"""What comes sooner after the first assignment may be lost [s]."""
_FLUSH = 2.0
_QUIET_LIMIT = 1.5
_POLL = 0.05


class Arming:
    """Posts trigger maps. Hold the settings' `posting` around everything but `wait_quiet`."""

    def __init__(
        self,
        controller: Controller,
        reducer: Reducer,
        sardana: SardanaIngester | None,
        sync: SettingsSync,
        closing: threading.Event,
    ) -> None:
        """Keep the parts.

        Args:
            controller: takes trigger maps.
            reducer: tells how many frames have come.
            sardana: asks the workers to flush; None: nobody can.
            sync: whose `posting` is held.
            closing: set when nobody may wait any more.
        """
        self._controller = controller
        self._reducer = reducer
        self._sardana = sardana
        self._sync = sync
        self._closing = closing

    def config(self) -> Config:
        """Return the services as they are."""
        return self._controller.config()

    def reducer_answers(self) -> bool:
        """Tell whether the reducer shows life: dranspose lists one that hangs for 10 s."""
        try:
            self._reducer.scalar(FRAMES)
        except PipelineError:
            return False
        return True

    def ready_config(self, deadline: float = math.inf) -> Config:
        """Return the services once all have taken the newest settings.

        Args:
            deadline: monotonic time after which nobody waits for them any more [s].

        Raises:
            PipelineError: they do not in time.
        """
        return self._sync.ready(min(deadline, time.monotonic() + _SETTLE))

    def post(self, trigger_map: TriggerMap) -> str:
        """Give a trigger map to all services and return its uuid."""
        return self._controller.set_sequence(trigger_map)

    def wait_assigned(self) -> Progress:
        """Wait until data may come.

        Raises:
            NotReady: no worker took up the trigger map.
        """
        deadline = time.monotonic() + _ASSIGN
        while (progress := self._controller.progress()).last_assigned < 1:
            if time.monotonic() > deadline:
                raise NotReady(
                    f"No worker took up the trigger map within {_ASSIGN:g} s: "
                    "look at the workers' logs, restart them."
                )
            self._pause(_POLL / 2)
        self._pause(_AFTER_ASSIGN)
        return progress

    def can_flush(self, config: Config) -> bool:
        """Say whether workers can be asked to flush."""
        return self._sardana is not None and SARDANA in config.streams

    def send_flush(self) -> None:
        """Send the event upon which workers flush; a map that expects it must be posted."""
        if self._sardana is not None:
            self._sardana.ask_to_flush()

    def flush(self) -> str:
        """Have the workers flush, with a trigger map of its own, and return its uuid.

        Raises:
            PipelineError: they do not in time.
        """
        mapping = self.post(flush_map())
        self.wait_assigned()
        self.send_flush()
        deadline = time.monotonic() + _FLUSH
        while (progress := self._controller.progress()).completed < progress.total:
            if time.monotonic() > deadline:
                raise NotReady("The workers did not flush within 2 s.")
            self._pause(_POLL)
        return mapping

    def halt(self) -> None:
        """Ask dranspose to end the scan."""
        self._controller.stop()

    def wait_quiet(self, quiet: float) -> None:
        """Wait until no frame and no partial sum came in for a while, but not much longer.

        Args:
            quiet: how long nothing may come [s].
        """
        begin = changed = time.monotonic()
        last = None
        while (now := time.monotonic()) - changed < quiet and now - begin < _QUIET_LIMIT:
            counts = (
                self._reducer.scalar(FRAMES),
                self._reducer.scalar(ACCUMULATED_NUMBER),
            )
            if counts != last:
                last, changed = counts, now
            self._pause(_POLL)

    def _pause(self, seconds: float) -> None:
        """Wait a little.

        Raises:
            Interrupted: the device ends.
        """
        if self._closing.wait(seconds):
            raise Interrupted
