"""How a scan begins: with all parts of the pipeline, and before the client gives up."""

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
from femtotango.errors import Interrupted, NotReady, PipelineError

_RETURN = 8.0
"""So long a worker or ingester that has gone may take to come back [s]."""
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
        self._parts = frozenset(name for name, _ in newest.scan.services)
        """Names of the workers and ingesters that are expected."""

    def wait_for_parts(self, deadline: float) -> None:
        """Wait for the reducer, and the workers and ingesters that the scan before had.

        `up` restarts them. Those that do not come back are not waited for again.

        Args:
            deadline: monotonic time at which the client gives up [s].

        Raises:
            PipelineError: the controller does not answer.
            Interrupted: the device ends.
        """
        deadline = min(deadline, time.monotonic() + _RETURN)
        while True:
            late = time.monotonic() > deadline
            try:
                there = _names(self._arming.config())
            except PipelineError:
                if late or not self._parts:
                    raise
                there = frozenset()
            if late:
                self._parts = there
            if self._parts <= there and (late or self._arming.reducer_answers()):
                return
            if self._closing.wait(_POLL):
                raise Interrupted

    def begin(
        self, trigger_map: TriggerMap, streams: Sequence[str], scan: Scan, deadline: float
    ) -> bool:
        """Begin a scan; False when another one has begun meanwhile, or a part was restarted.

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
            return self.arm(trigger_map, self._arming.ready_config(deadline), scan, deadline)

    def arm(
        self, trigger_map: TriggerMap, config: Config, scan: Scan, deadline: float = math.inf
    ) -> bool:
        """Post a trigger map, wait until data may come, make it the newest scan.

        Returns:
            False: a part was restarted meanwhile and has not got it, so it was ended again.

        Raises:
            NotReady: the deadline has passed: who asked for the scan has given up.
            PipelineError: the pipeline cannot do it now.
        """
        with self._newest.posting():
            scan = replace(
                scan,
                workers=config.worker_names,
                services=config.sources_and_workers,
                lost=frozenset(),
                failed_before=self._results().failed_before,
                done=False,
            )
            self._newest.know(config.mapping)
            self._parts |= _names(config)
            _check_in_time(deadline)
            mapping = self._post(trigger_map, config)
            if not mapping:
                return False
            self._newest.posted(mapping)
            try:
                progress = self._arming.wait_assigned()
                same = self._arming.config().services_known == config.services_known
                if time.monotonic() > deadline or not same:
                    self._arming.halt()
                _check_in_time(deadline)
                if not same:
                    return False
            except Interrupted:
                if scan.continuous:
                    self._newest.take_up(replace(scan, mapping=mapping))
                raise
            self._newest.take_up(replace(scan, mapping=mapping, progress=progress))
        return True

    def _post(self, trigger_map: TriggerMap, config: Config) -> str:
        """Post a trigger map and return its uuid; empty: a part ended before it had it."""
        try:
            return self._arming.post(trigger_map)
        except PipelineError:
            now = self._arming.config()
            # The services may have it all the same, and then it is no other client's.
            self._newest.know(now.mapping)
            if now.services_known == config.services_known:
                raise
            return ""


def _names(config: Config) -> frozenset[str]:
    return frozenset(name for name, _ in config.sources_and_workers)


def _check_in_time(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise NotReady(
            "The client's time-out is nearly over, so no scan was begun: call it again, with a "
            'longer time-out in the client and as "timeout".'
        )
