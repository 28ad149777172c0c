"""A command returns when its setting has arrived, or is in force; it does not wait for ever."""

import threading
import time
from collections.abc import Callable

from femtotango.component.settings_sync import SettingsSync
from femtotango.dranspose_client.controller import Controller
from femtotango.errors import PipelineError

DELIVERY = 1.3
"""A command waits so long for its setting to arrive [s]."""
_AGREEMENT = 1.5
"""Then so long for all services to take it up; Tango clients wait 3 s for both [s]."""
_POLL = 0.02


class Delivery:
    """Follows settings to the controller, and on to the services.

    Args:
        sync: knows which settings the controller has.
        controller: knows which of them the services have.
        away: says whether the pipeline cannot be reached.
        closing: ends what waits.
    """

    def __init__(
        self,
        sync: SettingsSync,
        controller: Controller,
        away: Callable[[], bool],
        closing: threading.Event,
    ) -> None:
        self._sync = sync
        self._controller = controller
        self._away = away
        self._closing = closing

    def wait_delivered(self) -> None:
        """Wait until the controller has the settings; not long, and not for one that is away."""
        deadline = time.monotonic() + DELIVERY
        while not self._sync.delivered and time.monotonic() < deadline:
            if self._away() or self._closing.wait(_POLL):
                return

    def wait_in_force(self) -> None:
        """Wait until all services have the settings too, so that the next frame follows them.

        Not long, and not for a pipeline that is away. What the services show may be half a second
        old.
        """
        self.wait_delivered()
        deadline = time.monotonic() + _AGREEMENT
        while self._sync.delivered and time.monotonic() < deadline:
            try:
                if self._sync.in_force(self._controller.config()):
                    return
            except PipelineError:
                return
            if self._closing.wait(_POLL):
                return
