"""Continuous mode: after each series a new trigger map, until somebody stops it."""

from femtotango.component.arming import Arming
from femtotango.component.newest_scan import NewestScan
from femtotango.component.results_poller import Observation
from femtotango.component.scan_begin import ScanBegin
from femtotango.component.scan_progress import series_over
from femtotango.component.settings_sync import SettingsSync
from femtotango.dranspose_client.trigger_maps import CONTINUOUS_PARTS, PART, continuous_map
from femtotango.errors import Interrupted, PipelineError

_NEARLY_ALL = CONTINUOUS_PARTS * PART - 10 * PART
"""Frames after which a continuous run is armed anew in the middle of a series."""


class Continuous:
    """Knows when a series is over, and begins anew."""

    def __init__(
        self, newest: NewestScan, begin: ScanBegin, arming: Arming, sync: SettingsSync
    ) -> None:
        """Keep the parts.

        Args:
            newest: the scan that may be a continuous run.
            begin: arms.
            arming: asks the workers to flush.
            sync: whose `posting` is held meanwhile.
        """
        self._newest = newest
        self._begin = begin
        self._arming = arming
        self._sync = sync
        self._rearming = False

    def is_due(self, results: Observation) -> bool:
        """Say once, after each series, that `rearm` has to be called."""
        scan = self._newest.scan
        if not (scan.continuous and self._newest.open) or scan.polls_left or self._rearming:
            return False
        self._rearming = series_over(results.snapshot, scan, _NEARLY_ALL)
        return self._rearming

    def rearm(self, results: Observation | None = None) -> None:
        """Begin anew, in the thread of the scans' jobs.

        Args:
            results: that made it due; None: something was lost.
        """
        try:
            scan = self._newest.scan
            if not scan.continuous or scan.stopped:
                return
            in_series = results is not None and not series_over(results.snapshot, scan)
            with self._sync.posting():
                config = self._arming.ready_config()
                flush = self._arming.can_flush(config)
                if not self._begin.arm(continuous_map(scan.cameras, flush), config, scan):
                    return  # The next poll of the results tries again.
                if flush:
                    self._arming.send_flush()
            if in_series:
                self._newest.last_error = (
                    f"Continuous mode used up its trigger map after {_NEARLY_ALL} frames of one "
                    "series: frames are taken again from the next series on."
                )
        except Interrupted:
            return
        except PipelineError as error:
            # The next poll of the results tries again.
            self._newest.last_error = f"Continuous mode could not go on: {error}"
        finally:
            self._rearming = False
