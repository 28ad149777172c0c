"""Start and stop scans, and know the newest one."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import TimeoutError as NotDone

from femtotango.component.arming import Arming
from femtotango.component.continuous import Continuous
from femtotango.component.jobs import Jobs
from femtotango.component.kept import KeptScan
from femtotango.component.newest_scan import NewestScan
from femtotango.component.results_poller import Observation
from femtotango.component.scan_before import ScanBefore
from femtotango.component.scan_begin import ScanBegin
from femtotango.component.scan_end import ScanEnd
from femtotango.component.scan_progress import Scan
from femtotango.component.scan_request import DEFAULT_TIMEOUT, ScanRequest, cameras_in
from femtotango.component.settings_sync import SettingsSync
from femtotango.dranspose_client.services import Config, Progress
from femtotango.dranspose_client.trigger_maps import TriggerMap, continuous_map, scan_map
from femtotango.errors import Interrupted
from pipeline.protocols.sardana import SARDANA

_IN_TIME = 0.9
"""Part of a client's time-out after which nothing begins, so that the answer still reaches it."""
_STOP_REPLY = 2.5
"""Tango clients wait 3 s; the rest of a stop goes on behind them."""


class ScanControl:
    """Knows the newest scan; its jobs run one after the other in a thread of their own."""

    def __init__(
        self,
        arming: Arming,
        sync: SettingsSync,
        results: Callable[[], Observation],
        refresh: Callable[[], Observation],
        kept: KeptScan,
        closing: threading.Event,
    ) -> None:
        """Keep the parts; `start` goes on with what the life before has left unfinished.

        Args:
            arming: posts trigger maps.
            sync: whose `posting` is held while a scan begins.
            results: gives the newest observation.
            refresh: fetches and publishes all results and returns them.
            kept: what the life before knew.
            closing: set when nobody may wait any more.
        """
        self._newest = NewestScan(kept)
        self._begin = ScanBegin(self._newest, arming, sync, results, closing)
        self._end = ScanEnd(self._newest, arming, sync, refresh, closing)
        self._continuous = Continuous(self._newest, self._begin, arming, sync)
        self._jobs = Jobs("femtomax-scans", closing)
        self._before = ScanBefore(self._newest, self._stop, closing)
        self._abandoning = False
        self._closing = closing

    @property
    def scan(self) -> Scan:
        """The newest scan."""
        return self._newest.scan

    @property
    def given_up(self) -> int:
        """Frames that were outstanding when scans were stopped."""
        return self._newest.given_up

    @property
    def last_error(self) -> str:
        """What went wrong here last."""
        return self._newest.last_error

    @property
    def prepared_here(self) -> bool:
        """True while a scan is under way that this device has begun."""
        scan = self.scan
        return bool(scan.cameras) and not (scan.done or scan.stopped)

    def start(self) -> None:
        """Go on with a stop that the life before did not finish."""
        if self.scan.stopped and not self.scan.done:
            self._jobs.submit(self._end.stop)

    def keep(self) -> KeptScan:
        """Return what the next life has to know."""
        return self._newest.keep()

    def close(self) -> None:
        """End the jobs; the one under way may finish its request."""
        self._jobs.close()

    # What clients ask for

    def prepare(self, request: ScanRequest) -> None:
        """Return when detectors and Sardana may start.

        Raises:
            ScanRunning: the scan before did not finish within 10 s, or the client's time-out. One
                that has ended in vain, or is refused for and stays silent, is given up instead.
            UnknownStream: no ingester brings one of the streams.
            PipelineError: the pipeline cannot do it now, or not before the client gives up.
        """
        trigger_map = scan_map(request.cameras, request.steps, request.burst, request.records)
        streams = [*request.cameras, *([SARDANA] if request.records else [])]
        frames = request.steps * request.burst
        scan = Scan(frames=frames, burst=request.burst, cameras=request.cameras)
        self._begin_when_free(trigger_map, streams, scan, request.timeout)

    def start_continuous(self, streams: Sequence[str]) -> None:
        """Take frames as they come until `stop`; begin anew after each series.

        Raises:
            ScanRunning: a scan did not finish within 10 s, or other cameras are running.
            RequestError: the streams cannot be used.
            PipelineError: the pipeline cannot do it now.
        """
        cameras = cameras_in(streams)
        running = self.scan
        if running.continuous and not running.done and set(running.cameras) == set(cameras):
            return
        scan = Scan(cameras=cameras, continuous=True)
        self._begin_when_free(continuous_map(cameras, False), cameras, scan, DEFAULT_TIMEOUT)

    def stop(self, continuous: bool) -> None:
        """Give up what is outstanding, count it, and have the workers flush what they buffer.

        Args:
            continuous: leave a scan that was prepared here alone; else: any scan. What this device
                did not begin may be continuous mode from before its restart.
        """
        scan = self.scan
        prepared = bool(scan.cameras) and not scan.continuous
        if scan.done or (continuous and prepared):
            return
        try:
            self._jobs.submit(self._end.stop).result(_STOP_REPLY)
        except NotDone:
            return

    def _stop(self, how: str) -> None:
        self._jobs.submit(self._end.stop, how).result()

    def _begin_when_free(
        self, trigger_map: TriggerMap, streams: Sequence[str], scan: Scan, timeout: float
    ) -> None:
        deadline = time.monotonic() + _IN_TIME * timeout
        begun = False
        while not begun:
            self._before.wait_until_done(deadline)
            self._begin.wait_for_parts(deadline)
            # Somebody else may begin one in between; then this one waits again.
            job = self._jobs.submit(self._begin.begin, trigger_map, streams, scan, deadline)
            begun = job.result()

    # What the device's threads tell

    def wants_progress(self, config: Config, results: Observation) -> bool:
        """Say whether `follow` would learn anything; call under the settings' `posting`."""
        return self._newest.wants_progress(config, results)

    def follow(self, config: Config, progress: Progress, results: Observation) -> None:
        """Take in what the controller says; call under the settings' `posting`."""
        self._newest.follow(config, progress, results)

    def follow_results(self, results: Observation) -> None:
        """Take in new results: the scan may be done, or a continuous one wants to go on."""
        self._newest.follow_results(results)
        if self._continuous.is_due(results) and not self._closing.is_set():
            self._jobs.submit(self._continuous.rearm, results)

    def wants_all(self, results: Observation) -> bool:
        """Say whether only the curves are missing before the scan is done."""
        return self._newest.wants_all(results)

    def give_up_lost(self, silent: frozenset[tuple[str, str]]) -> None:
        """Give up the scan when it has lost a worker or an ingester: its frames never come.

        Args:
            silent: name and uuid of those that show no life.
        """
        if self._abandoning or (scan := self._newest.note_lost(silent)) is None:
            return
        self._abandoning = True
        try:
            self._jobs.submit(self._abandon, scan)
        except Interrupted:
            # The next life goes on with the scan as it is.
            self._abandoning = False

    def _abandon(self, lost: Scan) -> None:
        try:
            scan = self.scan
            if scan.mapping != lost.mapping or scan.done or scan.stopped:
                return
            if scan.continuous:
                self._continuous.rearm()
                if self.scan.mapping != lost.mapping:
                    self._newest.last_error = (
                        f"Continuous mode was begun anew because {lost.what_it_lost}: "
                        "frames that were on their way are lost."
                    )
            else:
                self._end.stop(f"given up because {lost.what_it_lost}")
        finally:
            self._abandoning = False
