"""Start and stop scans: trigger maps and the waits that make them safe."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotDone
from dataclasses import replace

from femtotango.client import Config, Controller, Progress, Reducer, SardanaIngester
from femtotango.errors import NotReady, PipelineError, ScanRunning
from femtotango.observer import Observation
from femtotango.scan_progress import Scan, complete, outstanding, series_over
from femtotango.scan_request import ScanRequest, check_streams, one_camera
from femtotango.settings_sync import SettingsSync
from femtotango.trigger_maps import (
    CONTINUOUS_PARTS,
    PART,
    TriggerMap,
    continuous_map,
    flush_map,
    scan_map,
)
from pipeline.results import FLUSH_TITLE, SARDANA

_FINISH = 10.0
"""How long a new scan waits for the one before [s]."""
_SETTLE = 12.0
"""A killed service stays listed for 10 s."""
_ASSIGN = 5.0
_AFTER_ASSIGN = 0.1
"""What comes sooner after the first assignment may be lost [s]."""
_QUIET, _QUIET_LIMIT = 0.4, 1.5
"""No frame for so long: those in flight have been processed; and when to give up waiting [s]."""
_FLUSH = 2.0
_STOP_REPLY = 2.5
"""Tango clients wait 3 s; the rest of a stop goes on behind them."""
_POLL = 0.05
_NEARLY_ALL = CONTINUOUS_PARTS * PART - 10 * PART
"""Frames after which a continuous run is armed anew in the middle of a series."""


class ScanControl:
    """Knows the newest scan; its jobs run one after the other in a thread of their own."""

    def __init__(
        self,
        controller: Controller,
        reducer: Reducer,
        sardana: SardanaIngester | None,
        sync: SettingsSync,
        results: Callable[[], Observation],
        refresh: Callable[[], Observation],
    ) -> None:
        """Keep the parts.

        Args:
            controller: of dranspose.
            reducer: its results.
            sardana: its HTTP ingester; None: workers are not asked to hand over.
            sync: whose `posting` is held while a scan begins.
            results: gives the newest observation.
            refresh: fetches and publishes all results and returns them.
        """
        self._controller = controller
        self._reducer = reducer
        self._sardana = sardana
        self._sync = sync
        self._results = results
        self._refresh = refresh
        self._jobs = ThreadPoolExecutor(1, "femtomax-scans")
        self._lock = threading.Lock()
        self._scan = Scan()
        self._known: deque[str] = deque(maxlen=1000)
        """Trigger maps that are no news."""
        self._arming = False
        self._rearming = False
        self._closing = threading.Event()
        self.given_up = 0
        """Frames that were outstanding when scans were stopped."""
        self.last_error = ""
        """What went wrong here last."""

    @property
    def scan(self) -> Scan:
        """The newest scan."""
        return self._scan

    def close(self) -> None:
        """End the jobs."""
        self._closing.set()
        self._jobs.shutdown(wait=False, cancel_futures=True)

    # What clients ask for

    def prepare(self, request: ScanRequest) -> None:
        """Return when detectors and Sardana may start.

        Raises:
            ScanRunning: the scan before did not finish within 10 s.
            UnknownStream: no ingester brings one of the streams.
            PipelineError: the pipeline cannot do it now.
        """
        trigger_map = scan_map(
            request.camera, request.steps, request.burst, request.records, request.separate
        )
        streams = [request.camera, *([SARDANA] if request.records else [])]
        scan = Scan(
            frames=request.steps * request.burst, burst=request.burst, camera=request.camera
        )
        self._wait_for_finish()
        self._jobs.submit(self._begin, trigger_map, streams, scan).result()

    def start_continuous(self, streams: Sequence[str]) -> None:
        """Take frames as they come until `stop`; begin anew after each series.

        Raises:
            ScanRunning: a scan did not finish within 10 s, or another camera is running.
            RequestError: the streams cannot be used.
            PipelineError: the pipeline cannot do it now.
        """
        camera = one_camera(streams)
        running = self._scan
        if running.continuous and not running.done and running.camera == camera:
            return
        self._wait_for_finish()
        scan = Scan(camera=camera, continuous=True)
        self._jobs.submit(self._begin, continuous_map(camera, False), [camera], scan).result()

    def stop(self, continuous: bool) -> None:
        """Give up what is outstanding, count it, and have the workers hand over what they hold.

        Args:
            continuous: stop continuous mode only; else: any scan.
        """
        scan = self._scan
        if scan.done or (continuous and not scan.continuous):
            return
        job = self._jobs.submit(self._stop)
        try:
            job.result(_STOP_REPLY)
        except NotDone:
            return

    # What the device's threads tell

    def follow(self, config: Config, progress: Progress, results: Observation) -> None:
        """Take in what the controller says; call under the settings' `posting`."""
        mapping = config.mapping or results.mapping
        with self._lock:
            scan = self._scan
            if self._arming:
                return
            if mapping == scan.mapping:
                if not scan.stopped:
                    self._scan = replace(scan, progress=progress)
            elif mapping and mapping not in self._known:
                self._known.append(mapping)
                if progress.total:
                    self._scan = Scan(
                        number=scan.number + 1,
                        mapping=mapping,
                        workers=config.worker_names,
                        failed_before=_failed(results),
                        progress=progress,
                        done=False,
                    )
                    self._complain_if_unfinished(scan, "another client began one")
                elif not scan.done:
                    self._scan = replace(scan, stopped=True, done=True)
                    self._complain_if_unfinished(scan, "the controller was started anew")

    def look_at(self, results: Observation) -> None:
        """Take in new results: the scan may be done, or a continuous one wants to go on."""
        rearm = False
        with self._lock:
            scan = self._scan
            if not self._arming and not scan.done and not scan.stopped:
                if scan.continuous:
                    full = int(results.snapshot.get("scan/frames", 0)) >= _NEARLY_ALL
                    over = series_over(results.snapshot, scan)
                    rearm = (over or (full and results.mapping == scan.mapping)) and bool(
                        scan.camera
                    )
                    rearm = rearm and not self._rearming
                    self._rearming |= rearm
                elif _all_fetched(results) and complete(results.snapshot, scan):
                    self._scan = replace(scan, done=True)
        if rearm and not self._closing.is_set():
            self._jobs.submit(self._rearm)

    def wants_all(self, results: Observation) -> bool:
        """Say whether only the curves are missing before the scan is done."""
        scan = self._scan
        missing = not _all_fetched(results)
        return missing and not scan.done and complete(results.snapshot, scan)

    # Jobs

    def _wait_for_finish(self) -> None:
        deadline = time.monotonic() + _FINISH
        while not self._scan.done:
            scan = self._scan
            if scan.continuous and not scan.stopped:
                raise ScanRunning(
                    f"Continuous mode with {scan.camera} is running: call StopContinuous first."
                )
            if time.monotonic() > deadline:
                raise ScanRunning(
                    f"Scan {scan.number} is not finished ({_events(scan.progress)}): "
                    "wait, or call StopScan to give up what is outstanding."
                )
            self._closing.wait(_POLL)

    def _begin(self, trigger_map: TriggerMap, streams: Sequence[str], scan: Scan) -> None:
        if not self._scan.done:
            raise ScanRunning(f"Scan {self._scan.number} has begun meanwhile: wait for its end.")
        with self._sync.posting():
            check_streams(streams, self._controller.config().streams)
            self._sync.push()
            config = self._sync.settle(time.monotonic() + _SETTLE)
            self._arm(trigger_map, config, scan)

    def _arm(self, trigger_map: TriggerMap, config: Config, scan: Scan | None) -> None:
        """Post a trigger map and wait until data may come; call under `posting`."""
        self._arming = True
        try:
            failed = _failed(self._results())
            mapping = self._controller.set_sequence(trigger_map)
            with self._lock:
                self._known += [config.mapping, mapping]
            progress = self._wait_assigned()
            with self._lock:
                if scan is not None:
                    self._scan = replace(
                        scan,
                        number=self._scan.number + 1,
                        mapping=mapping,
                        workers=config.worker_names,
                        failed_before=failed,
                        progress=progress,
                        done=False,
                    )
        finally:
            self._arming = False

    def _wait_assigned(self) -> Progress:
        deadline = time.monotonic() + _ASSIGN
        while (progress := self._controller.progress()).last_assigned < 1:
            if time.monotonic() > deadline:
                raise NotReady(
                    f"No worker took up the trigger map within {_ASSIGN:g} s: "
                    "look at the workers' logs, restart them."
                )
            time.sleep(_POLL / 2)
        time.sleep(_AFTER_ASSIGN)
        return progress

    def _rearm(self) -> None:
        try:
            scan = self._scan
            if not scan.continuous or scan.stopped:
                return
            with self._sync.posting():
                config = self._agreed_config()
                flush = self._flusher(config)
                self._arm(continuous_map(scan.camera, flush is not None), config, scan)
                if flush is not None:
                    flush.describe(FLUSH_TITLE)
        except PipelineError as error:
            # The next look at the results tries again.
            self.last_error = f"Continuous mode could not go on: {error}"
        finally:
            self._rearming = False

    def _stop(self) -> None:
        scan = self._scan
        if scan.done:
            return
        try:
            self._controller.stop()
            self._wait_quiet(_QUIET, _QUIET_LIMIT)
            with self._lock:
                self._scan = scan = replace(scan, stopped=True)
            self._flush()
        except PipelineError as error:
            self.last_error = f"Scan {scan.number} was given up without its last frames: {error}"
        finally:
            missing = outstanding(self._refresh().snapshot, scan)
            if missing:
                self.given_up += missing
                self.last_error = (
                    f"Scan {scan.number} was stopped; {missing} of {scan.frames} frames never came."
                )
            with self._lock:
                self._scan = replace(scan, stopped=True, done=True)
            self._refresh()

    def _flush(self) -> None:
        """Have the workers hand over what they hold, where Sardana's ingester is there for it."""
        with self._sync.posting():
            config = self._agreed_config()
            flush = self._flusher(config)
            if flush is None:
                return
            self._arm(flush_map(), config, None)
            flush.describe(FLUSH_TITLE)
            deadline = time.monotonic() + _FLUSH
            while (progress := self._controller.progress()).completed < progress.total:
                if time.monotonic() > deadline:
                    raise NotReady("The workers did not hand over what they hold within 2 s.")
                time.sleep(_POLL)
        self._wait_quiet(_QUIET / 2, _QUIET_LIMIT)

    def _agreed_config(self) -> Config:
        config = self._controller.config()
        if self._sync.agreed(config):
            return config
        return self._sync.settle(time.monotonic() + _SETTLE)

    def _flusher(self, config: Config) -> SardanaIngester | None:
        return self._sardana if SARDANA in config.streams else None

    def _wait_quiet(self, quiet: float, limit: float) -> None:
        """Wait until no frame and no partial sum came in for a while."""
        begin = changed = time.monotonic()
        last = None
        while (now := time.monotonic()) - changed < quiet and now - begin < limit:
            counts = (
                self._reducer.scalar("health/frames"),
                self._reducer.scalar("accumulated_number"),
            )
            if counts != last:
                last, changed = counts, now
            time.sleep(_POLL)

    def _complain_if_unfinished(self, scan: Scan, why: str) -> None:
        if not scan.done:
            self.last_error = f"Scan {scan.number} was cut off ({_events(scan.progress)}): {why}."


def _all_fetched(results: Observation) -> bool:
    return results.error is None and results.curves.revision == results.revision


def _failed(results: Observation) -> int:
    return int(results.snapshot.get("health/failed_frames", 0))


def _events(progress: Progress | None) -> str:
    return f"{progress.completed} of {progress.total} events" if progress else "no event yet"
