"""How a scan begins: when the one before is done, and before the client gives up."""

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from femtotango.component.arming import Arming
from femtotango.component.newest_scan import NewestScan
from femtotango.component.results_poller import Observation
from femtotango.component.scan_progress import Scan
from femtotango.component.scan_request import check_streams
from femtotango.component.settings_sync import SettingsSync
from femtotango.dranspose_client.services import Config
from femtotango.dranspose_client.trigger_maps import TriggerMap
from femtotango.errors import Interrupted, NotReady, ScanRunning

_POLL = 0.05


class ScanBegin:
    """Begins scans; `begin` and `arm` belong into the thread of the scans' jobs."""

    def __init__(
        self,
        newest: NewestScan,
        arming: Arming,
        sync: SettingsSync,
        results: Callable[[], Observation],
        closing: threading.Event,
    ) -> None:
        """Keep the parts.

        Args:
            newest: becomes the scan that begins.
            arming: posts trigger maps.
            sync: whose `posting` is held meanwhile.
            results: gives the newest observation.
            closing: set when nobody may wait any more.
        """
        self._newest = newest
        self._arming = arming
        self._sync = sync
        self._results = results
        self._closing = closing

    def wait_for_finish(self, deadline: float) -> None:
        """Wait until the newest scan is done.

        Args:
            deadline: monotonic [s].

        Raises:
            ScanRunning: it is not, or continuous mode is running.
            Interrupted: the device ends.
        """
        while not self._newest.scan.done:
            scan = self._newest.scan
            if scan.continuous and not scan.stopped:
                raise ScanRunning(
                    f"Continuous mode with {scan.camera_names} is running: call "
                    "StopContinuous first."
                )
            if time.monotonic() > deadline:
                raise ScanRunning(
                    f"Scan {scan.number} is not finished ({scan.progress}): "
                    "wait, or call StopScan to give up what is outstanding."
                )
            if self._closing.wait(_POLL):
                raise Interrupted

    def begin(
        self, trigger_map: TriggerMap, streams: Sequence[str], scan: Scan, deadline: float
    ) -> bool:
        """Begin a scan; False when another one has begun meanwhile.

        Args:
            trigger_map: of the scan.
            streams: that it needs.
            scan: what is known of it.
            deadline: monotonic time at which the client gives up [s].

        Raises:
            UnknownStream: no ingester brings one of the streams.
            PipelineError: the pipeline cannot do it now, or not in time.
        """
        if not self._newest.scan.done:
            return False
        with self._sync.posting():
            check_streams(streams, self._arming.config().streams)
            self._sync.post_due()
            self.arm(trigger_map, self._arming.ready_config(deadline), scan, deadline)
        return True

    def arm(
        self, trigger_map: TriggerMap, config: Config, scan: Scan, deadline: float = math.inf
    ) -> None:
        """Post a trigger map, wait until data may come, make it the newest scan.

        Raises:
            NotReady: the deadline has passed: who asked for the scan has given up.
        """
        with self._newest.posting():
            scan = replace(
                scan,
                workers=config.worker_names,
                services=config.sources_and_workers,
                lost=frozenset(),
                failed_before=self._results().failed_frames,
                done=False,
            )
            self._newest.know(config.mapping)
            _check_in_time(deadline)
            mapping = self._arming.post(trigger_map)
            self._newest.posted(mapping)
            try:
                progress = self._arming.wait_assigned()
                if time.monotonic() > deadline:
                    self._arming.halt()
                _check_in_time(deadline)
            except Interrupted:
                if scan.continuous:
                    self._newest.take_up(replace(scan, mapping=mapping))
                raise
            self._newest.take_up(replace(scan, mapping=mapping, progress=progress))


def _check_in_time(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise NotReady(
            "The client's time-out is nearly over, so no scan was begun: call it again, with a "
            'longer time-out in the client and as "timeout".'
        )
