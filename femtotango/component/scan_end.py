"""How a scan is given up: what is outstanding is counted, what workers buffer is flushed."""

import math
import threading
import time
from collections.abc import Callable

from femtotango.component.arming import Arming
from femtotango.component.newest_scan import STOPPED, NewestScan
from femtotango.component.results_poller import Observation
from femtotango.component.settings_sync import SettingsSync
from femtotango.errors import Interrupted, PipelineError

_QUIET = 0.4
"""No frame for so long: those in flight have been processed [s]."""
_FLUSH_LOST = 5.0
"""So long the services may take to be ready after one of them was lost [s]."""
_FLUSHED = "never came."
_NOT_FLUSHED = (
    "never came, or are still in the workers, which hand them over with the next scan: "
    "no Sardana ingester could ask for them now."
)


class ScanEnd:
    """Gives up scans; belongs into the thread of the scans' jobs."""

    def __init__(
        self,
        newest: NewestScan,
        arming: Arming,
        sync: SettingsSync,
        refresh: Callable[[], Observation],
        closing: threading.Event,
    ) -> None:
        """Keep the parts.

        Args:
            newest: the scan that is given up.
            arming: ends it at the controller.
            sync: whose `posting` is held while the workers flush.
            refresh: fetches and publishes all results and returns them.
            closing: set when nobody may wait any more.
        """
        self._newest = newest
        self._arming = arming
        self._sync = sync
        self._refresh = refresh
        self._closing = closing

    def stop(self, how: str = STOPPED) -> None:
        """Give up what is outstanding, unless the scan is done.

        Args:
            how: it comes to its end, for the message.
        """
        if self._newest.scan.done:
            return
        scan = self._newest.begin_to_stop()
        flushed = interrupted = False
        try:
            self._arming.halt()
            self._arming.wait_quiet(_QUIET)
            flushed = self._flush(time.monotonic() + _FLUSH_LOST if scan.lost else math.inf)
        except Interrupted:
            interrupted = True
        except PipelineError as error:
            self._newest.last_error = (
                f"Scan {scan.number} was {how} without its last frames: {error}"
            )
        finally:
            results = self._refresh()
            # A life that ends leaves the rest to the next one.
            if not (interrupted or self._closing.is_set()):
                self._newest.give_up(scan, results, how, _FLUSHED if flushed else _NOT_FLUSHED)
                self._refresh()

    def _flush(self, deadline: float) -> bool:
        """Have the workers flush what they buffer; False when nobody can ask them to.

        Args:
            deadline: monotonic time until which all services may take to be ready [s].
        """
        with self._sync.posting():
            config = self._arming.ready_config(deadline)
            if not self._arming.can_flush(config):
                return False
            with self._newest.posting():
                self._newest.know(config.mapping)
                self._newest.know(self._arming.flush())
        self._arming.wait_quiet(_QUIET / 2)
        return True
