"""Start and stop scans, and know the newest one."""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import TimeoutError as NotDone
from dataclasses import replace

from femtotango.component.arming import Arming
from femtotango.component.jobs import Jobs
from femtotango.component.kept import KeptScan
from femtotango.component.results_poller import Observation
from femtotango.component.scan_progress import (
    Scan,
    complete,
    followed,
    outstanding,
    over_elsewhere,
    series_over,
)
from femtotango.component.scan_request import (
    DEFAULT_TIMEOUT,
    ScanRequest,
    cameras_in,
    check_streams,
)
from femtotango.component.settings_sync import SettingsSync
from femtotango.dranspose_client.services import Config, Progress
from femtotango.dranspose_client.trigger_maps import (
    CONTINUOUS_PARTS,
    PART,
    TriggerMap,
    continuous_map,
    scan_map,
)
from femtotango.errors import Interrupted, NotReady, PipelineError, ScanRunning
from pipeline.protocols.sardana import SARDANA

_FINISH = 10.0
"""How long a new scan waits for the one before [s]."""
_IN_TIME = 0.9
"""Part of a client's time-out after which nothing begins, so that the answer still reaches it."""
_QUIET = 0.4
"""No frame for so long: those in flight have been processed [s]."""
_STOP_REPLY = 2.5
"""Tango clients wait 3 s; the rest of a stop goes on behind them."""
_FLUSH_LOST = 5.0
"""So long the services may take to be ready after one of them was lost [s]."""
_CONSISTENT = 1.0
"""A controller that takes a trigger map tells of the old one's progress for half a second [s]."""
_POLL = 0.05
_NOT_FLUSHED = (
    "never came, or are still in the workers, which hand them over with the next scan: "
    "no Sardana ingester could ask for them now."
)
_NEARLY_ALL = CONTINUOUS_PARTS * PART - 10 * PART
"""Frames after which a continuous run is armed anew in the middle of a series."""


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
        self._arming = arming
        self._sync = sync
        self._results = results
        self._refresh = refresh
        self._jobs = Jobs("femtomax-scans", closing)
        self._lock = threading.Lock()
        self._scan = kept.scan
        known = filter(None, (kept.scan.mapping, *kept.known))
        self._known: deque[str] = deque(known, maxlen=1000)
        """Trigger maps that are no news."""
        self._met = False
        """A trigger map was seen in this life."""
        self._posting = False
        self._rearming = False
        self._abandoning = False
        self._followed = 0.0
        """When another client's trigger map was met, monotonic [s]."""
        self._closing = closing
        self.given_up = kept.given_up
        """Frames that were outstanding when scans were stopped."""
        self.last_error = kept.last_error
        """What went wrong here last."""

    @property
    def scan(self) -> Scan:
        """The newest scan."""
        return self._scan

    @property
    def prepared_here(self) -> bool:
        """True while a scan is under way that this device has begun."""
        scan = self._scan
        return bool(scan.cameras) and not (scan.done or scan.stopped)

    def start(self) -> None:
        """Go on with a stop that the life before did not finish."""
        if self._scan.stopped and not self._scan.done:
            self._jobs.submit(self._stop)

    def keep(self) -> KeptScan:
        """Return what the next life has to know."""
        return KeptScan(self._scan, tuple(self._known), self.given_up, self.last_error)

    def close(self) -> None:
        """End the jobs; the one under way may finish its request."""
        self._jobs.close()

    # What clients ask for

    def prepare(self, request: ScanRequest) -> None:
        """Return when detectors and Sardana may start.

        Raises:
            ScanRunning: the scan before did not finish within 10 s, or the client's time-out.
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
        running = self._scan
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
        scan = self._scan
        prepared = bool(scan.cameras) and not scan.continuous
        if scan.done or (continuous and prepared):
            return
        try:
            self._jobs.submit(self._stop).result(_STOP_REPLY)
        except NotDone:
            return

    # What the device's threads tell

    def follow(self, config: Config, progress: Progress, results: Observation) -> None:
        """Take in what the controller says; call under the settings' `posting`."""
        mapping = config.mapping or results.mapping
        with self._lock:
            scan = self._scan
            if self._posting:
                return
            first, self._met = not self._met, self._met or bool(mapping)
            if not mapping:
                if first:
                    self._scan = self._lost(scan, results)
            elif mapping == scan.mapping:
                if not scan.stopped:
                    self._scan = followed(scan, config, progress)
            elif mapping not in self._known:
                self._known.append(mapping)
                self._scan = self._newer(scan, first, mapping, config, progress, results)

    def _lost(self, scan: Scan, results: Observation) -> Scan:
        """Return what follows when nobody knows a trigger map: the whole pipeline is new."""
        if scan.done or scan.stopped or results.error is not None:
            return scan
        self._complain_if_unfinished(scan, "the pipeline was started anew")
        return replace(scan, stopped=True, done=True)

    def _newer(
        self,
        scan: Scan,
        first: bool,
        mapping: str,
        config: Config,
        progress: Progress,
        results: Observation,
    ) -> Scan:
        """Return what follows when a trigger map turns up that is not ours."""
        if not progress.total:
            self._complain_if_unfinished(scan, "the controller was started anew", results)
            return replace(scan, stopped=not scan.done, done=True)
        self._complain_if_unfinished(scan, "another client began one")
        self._followed = time.monotonic()
        # What had ended before this device polled for the first time is over.
        over = first and (progress.finished or progress.completed >= progress.total)
        return Scan(
            number=scan.number + 1,
            mapping="" if over else mapping,
            workers=config.worker_names,
            services=config.sources_and_workers,
            failed_before=results.failed_frames,
            progress=progress,
            # The poll that is under way may have begun before the last results.
            polls_left=2 if over else 0,
            done=False,
        )

    def give_up_lost(self, silent: frozenset[tuple[str, str]]) -> None:
        """Give up the scan when it has lost a worker or an ingester: its frames never come.

        Args:
            silent: name and uuid of those that show no life.
        """
        with self._lock:
            scan = self._scan
            if self._posting or self._abandoning or scan.done or scan.stopped:
                return
            scan = replace(scan, lost=scan.lost | {name for name, _ in silent & scan.services})
            if not scan.lost:
                return
            self._scan, self._abandoning = scan, True
        try:
            self._jobs.submit(self._abandon, scan)
        except Interrupted:
            # The next life goes on with the scan as it is.
            self._abandoning = False

    def follow_results(self, results: Observation) -> None:
        """Take in new results: the scan may be done, or a continuous one wants to go on."""
        rearm = in_series = False
        with self._lock:
            scan = self._scan
            if not self._posting and not scan.done and not scan.stopped:
                if scan.polls_left:
                    seen = results.whole or results.error is not None
                    polls_left = scan.polls_left - seen
                    self._scan = replace(scan, polls_left=polls_left, done=not polls_left)
                elif scan.continuous:
                    rearm = not self._rearming and series_over(results.snapshot, scan, _NEARLY_ALL)
                    self._rearming |= rearm
                    in_series = not series_over(results.snapshot, scan)
                elif (
                    over_elsewhere(results.snapshot, scan)
                    and time.monotonic() - self._followed > _CONSISTENT
                ):
                    self._scan = replace(scan, mapping="", done=True)
                elif results.whole and complete(results.snapshot, scan):
                    self._scan = replace(scan, done=True)
        if rearm and not self._closing.is_set():
            self._jobs.submit(self._rearm, in_series)

    def wants_all(self, results: Observation) -> bool:
        """Say whether only the curves are missing before the scan is done."""
        scan = self._scan
        over = scan.polls_left > 0 or complete(results.snapshot, scan)
        return over and not (results.whole or scan.done)

    # Jobs

    def _begin_when_free(
        self, trigger_map: TriggerMap, streams: Sequence[str], scan: Scan, timeout: float
    ) -> None:
        begin = time.monotonic()
        deadline = begin + _IN_TIME * timeout
        begun = False
        while not begun:
            self._wait_for_finish(min(begin + _FINISH, deadline))
            # Somebody else may begin one in between; then this one waits again.
            begun = self._jobs.submit(self._begin, trigger_map, streams, scan, deadline).result()

    def _wait_for_finish(self, deadline: float) -> None:
        while not self._scan.done:
            scan = self._scan
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

    def _begin(
        self, trigger_map: TriggerMap, streams: Sequence[str], scan: Scan, deadline: float
    ) -> bool:
        if not self._scan.done:
            return False
        with self._sync.posting():
            check_streams(streams, self._arming.config().streams)
            self._sync.post_due()
            self._arm(trigger_map, self._arming.ready_config(deadline), scan, deadline)
        return True

    def _arm(
        self, trigger_map: TriggerMap, config: Config, scan: Scan, deadline: float = math.inf
    ) -> None:
        """Post a trigger map, wait until data may come, make it the newest scan.

        Raises:
            NotReady: the deadline has passed: who asked for the scan has given up.
        """
        self._posting = True
        try:
            scan = replace(
                scan,
                workers=config.worker_names,
                services=config.sources_and_workers,
                lost=frozenset(),
                failed_before=self._results().failed_frames,
                done=False,
            )
            self._known.append(config.mapping)
            _check_in_time(deadline)
            mapping = self._arming.post(trigger_map)
            self._known.append(mapping)
            self._met = True
            try:
                progress = self._arming.wait_assigned()
                if time.monotonic() > deadline:
                    self._arming.halt()
                _check_in_time(deadline)
            except Interrupted:
                if scan.continuous:
                    self._take_up(replace(scan, mapping=mapping))
                raise
            self._take_up(replace(scan, mapping=mapping, progress=progress))
        finally:
            self._posting = False

    def _take_up(self, scan: Scan) -> None:
        with self._lock:
            self._scan = replace(scan, number=self._scan.number + 1)

    def _rearm(self, in_series: bool) -> None:
        try:
            scan = self._scan
            if not scan.continuous or scan.stopped:
                return
            with self._sync.posting():
                config = self._arming.ready_config()
                flush = self._arming.can_flush(config)
                self._arm(continuous_map(scan.cameras, flush), config, scan)
                if flush:
                    self._arming.send_flush()
            if in_series:
                self.last_error = (
                    f"Continuous mode used up its trigger map after {_NEARLY_ALL} frames of one "
                    "series: frames are taken again from the next series on."
                )
        except Interrupted:
            return
        except PipelineError as error:
            # The next poll of the results tries again.
            self.last_error = f"Continuous mode could not go on: {error}"
        finally:
            self._rearming = False

    def _abandon(self, lost: Scan) -> None:
        try:
            scan = self._scan
            if scan.mapping != lost.mapping or scan.done or scan.stopped:
                return
            if scan.continuous:
                self._rearm(in_series=False)
                if self._scan.mapping != lost.mapping:
                    self.last_error = (
                        f"Continuous mode was begun anew because {_names(lost)} ended or hangs: "
                        "frames that were on their way are lost."
                    )
            else:
                self._stop(f"given up because {_names(lost)} ended or hangs")
        finally:
            self._abandoning = False

    def _stop(self, how: str = "stopped") -> None:
        if self._scan.done:
            return
        with self._lock:
            self._scan = scan = replace(self._scan, stopped=True)
        flushed = interrupted = False
        try:
            self._arming.halt()
            self._arming.wait_quiet(_QUIET)
            flushed = self._flush(time.monotonic() + _FLUSH_LOST if scan.lost else math.inf)
        except Interrupted:
            interrupted = True
        except PipelineError as error:
            self.last_error = f"Scan {scan.number} was {how} without its last frames: {error}"
        finally:
            results = self._refresh()
            # A life that ends leaves the rest to the next one.
            if not (interrupted or self._closing.is_set()):
                self._give_up(scan, results, flushed, how)

    def _give_up(self, scan: Scan, results: Observation, flushed: bool, how: str) -> None:
        missing = outstanding(results.snapshot, scan)
        if missing:
            self.given_up += sum(missing.values())
            self.last_error = f"Scan {scan.number} was {how}; {_frames(scan, missing)} " + (
                "never came." if flushed else _NOT_FLUSHED
            )
        with self._lock:
            self._scan = replace(scan, done=True)
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
            self._posting = True
            try:
                self._known.append(config.mapping)
                self._known.append(self._arming.flush())
            finally:
                self._posting = False
        self._arming.wait_quiet(_QUIET / 2)
        return True

    def _complain_if_unfinished(
        self, scan: Scan, why: str, results: Observation | None = None
    ) -> None:
        """Say that a scan was cut off, and count what is outstanding where the results tell it."""
        if scan.done:
            return
        self.last_error = f"Scan {scan.number} was cut off ({scan.progress}): {why}."
        missing = outstanding(results.snapshot, scan) if results is not None else {}
        if missing:
            self.given_up += sum(missing.values())
            self.last_error += f" {_frames(scan, missing)} never came."


def _frames(scan: Scan, missing: Mapping[str, int]) -> str:
    return " and ".join(
        f"{frames} of {scan.frames} frames" + f" of {camera}" * (len(scan.cameras) > 1)
        for camera, frames in missing.items()
    )


def _names(scan: Scan) -> str:
    return " and ".join(sorted(scan.lost))


def _check_in_time(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise NotReady(
            "The client's time-out is nearly over, so no scan was begun: call it again, with a "
            'longer time-out in the client and as "timeout".'
        )
