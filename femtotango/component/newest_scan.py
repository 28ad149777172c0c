"""The newest scan as the device knows it: followed in what the controller and the results say."""

import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from femtotango.component.kept import KeptScan
from femtotango.component.results_poller import Observation
from femtotango.component.scan_progress import (
    Scan,
    complete,
    ended_in_vain,
    followed,
    outstanding,
    over_elsewhere,
    signs_of_life,
)
from femtotango.dranspose_client.services import Config, Progress

STOPPED = "stopped"
"""How a scan comes to its end when a person wants it to."""
_CONSISTENT = 1.0
"""A controller that takes a trigger map tells of the old one's progress for half a second [s]."""


@dataclass(frozen=True)
class _Counted:
    """A scan that was given up."""

    scan: Scan
    how: str
    flushed: str
    frames: int | None = None
    """What was outstanding."""

    def is_told_by(self, results: Observation) -> bool:
        """Say whether results are of this scan, and new."""
        return results.error is None and results.snapshot.scan.mapping == self.scan.mapping

    def sentence(self, missing: Mapping[str, int]) -> str:
        """Say how it ended; nothing where a person has stopped it and no frame is missing."""
        begin = f"Scan {self.scan.number} was {self.how}; "
        if missing:
            return f"{begin}{_frames(self.scan, missing)} {self.flushed}"
        if self.how == STOPPED:
            return ""
        return f"{begin}no frame is missing, but records or the end of a series."


class NewestScan:
    """Changed by several threads, each time under one lock; read without."""

    def __init__(self, kept: KeptScan) -> None:
        """Go on with what the life before knew."""
        self._lock = threading.Lock()
        self._scan = kept.scan
        known = filter(None, (kept.scan.mapping, *kept.known))
        self._known: deque[str] = deque(known, maxlen=1000)
        """Trigger maps that are no news."""
        self._met = False
        """A trigger map was seen in this life."""
        self._posting = False
        self._followed = 0.0
        """When another client's trigger map was met, monotonic [s]."""
        self._life: tuple[object, ...] = ()
        self._changed = time.monotonic()
        self._in_vain = False
        self._counted: _Counted | None = None
        self.given_up = kept.given_up
        """Frames that were outstanding when scans were stopped."""
        self.last_error = kept.last_error
        """What went wrong here last."""

    @property
    def scan(self) -> Scan:
        """The newest scan."""
        return self._scan

    @property
    def open(self) -> bool:
        """True while it runs and no trigger map of ours is on its way."""
        return not (self._posting or self._scan.done or self._scan.stopped)

    def keep(self) -> KeptScan:
        """Return what the next life has to know."""
        return KeptScan(self._scan, tuple(self._known), self.given_up, self.last_error)

    @property
    def silent(self) -> float:
        """For how long nothing of it has come in [s]."""
        return time.monotonic() - self._changed

    @property
    def life(self) -> tuple[object, ...]:
        """Changes whenever something of it comes in."""
        return self._life

    @property
    def in_vain(self) -> bool:
        """It has ended without being complete; see `ended_in_vain`."""
        return self._in_vain

    # What this device does

    @contextmanager
    def posting(self) -> Iterator[None]:
        """Hold while a trigger map of ours is on its way: nothing is followed meanwhile."""
        self._posting = True
        try:
            yield
        finally:
            self._posting = False

    def know(self, mapping: str) -> None:
        """Note that a trigger map is no news."""
        self._known.append(mapping)

    def posted(self, mapping: str) -> None:
        """Note that a trigger map was posted by this device."""
        self._known.append(mapping)
        self._met = True

    def take_up(self, scan: Scan) -> None:
        """Make it the newest, with the next number."""
        with self._lock:
            self._scan = replace(scan, number=self._scan.number + 1)
            self._changed, self._in_vain = time.monotonic(), False

    def begin_to_stop(self) -> Scan:
        """Mark it as being given up, and return it."""
        with self._lock:
            self._scan = replace(self._scan, stopped=True)
            return self._scan

    def give_up(self, scan: Scan, results: Observation, how: str, flushed: str) -> None:
        """Count what is outstanding of a scan that was stopped; it is done.

        Args:
            scan: as it was marked.
            results: the newest.
            how: it was stopped, for the message.
            flushed: what became of the missing frames, for the message.
        """
        with self._lock:
            self._counted = _Counted(scan, how, flushed)
            self._count_outstanding(results)
            self._scan = replace(scan, done=True)

    def _count_outstanding(self, results: Observation) -> None:
        """Count what is outstanding of the scan that was given up, by the newest that is known.

        A reducer that hangs has said something before. The one after it knows what is in no sum,
        and what of that it has named itself.
        """
        counted = self._counted
        if counted is None:
            return
        missing = outstanding(results.snapshot, counted.scan)
        frames = sum(missing.values())
        if frames != counted.frames:
            self.given_up += frames - (counted.frames or 0)
            self._counted = replace(counted, frames=frames)
            self.last_error = counted.sentence(missing) or self.last_error

    # What the device's threads tell

    def note_lost(self, silent: frozenset[tuple[str, str]]) -> Scan | None:
        """Note which of its parts it has lost, and return it when it has lost one.

        Args:
            silent: name and uuid of those that show no life.
        """
        with self._lock:
            if not self.open:
                return None
            scan = self._scan
            scan = replace(scan, lost=scan.lost | {name for name, _ in silent & scan.services})
            if not scan.lost:
                return None
            self._scan = scan
            return scan

    def wants_progress(self, config: Config, results: Observation) -> bool:
        """Say whether `follow` would learn anything: nothing is new of a scan that is over."""
        scan, progress = self._scan, self._scan.progress
        mapping = config.mapping or results.mapping
        if not mapping:
            return not scan.done
        over = scan.done and (scan.stopped or (progress is not None and progress.finished))
        known = mapping in self._known and mapping != scan.mapping
        return not self._met or self._posting or not (known or (over and mapping == scan.mapping))

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
            failed_before=results.failed_before,
            progress=progress,
            # The poll that is under way may have begun before the last results.
            polls_left=2 if over else 0,
            done=False,
        )

    def follow_results(self, results: Observation) -> None:
        """Take in new results: the scan may be done. Continuous mode goes on by itself."""
        with self._lock:
            if self._counted is not None and self._counted.is_told_by(results):
                self._count_outstanding(results)
            if self._scan.failed_before is None:
                self._scan = replace(self._scan, failed_before=results.failed_before)
            scan = self._scan
            life = (scan.mapping, *signs_of_life(results.snapshot, scan))
            if life != self._life:
                self._life, self._changed = life, time.monotonic()
            self._in_vain = results.error is None and ended_in_vain(results.snapshot, scan)
            if not self.open:
                return
            if scan.polls_left:
                seen = results.whole or results.error is not None
                polls_left = scan.polls_left - seen
                self._scan = replace(scan, polls_left=polls_left, done=not polls_left)
            elif scan.continuous:
                return
            elif (
                over_elsewhere(results.snapshot, scan)
                and time.monotonic() - self._followed > _CONSISTENT
            ):
                self._scan = replace(scan, mapping="", done=True)
            elif results.whole and complete(results.snapshot, scan):
                self._scan = replace(scan, done=True)

    def wants_all(self, results: Observation) -> bool:
        """Say whether only the curves are missing before the scan is done."""
        scan = self._scan
        over = scan.polls_left > 0 or complete(results.snapshot, scan)
        return over and not (results.whole or scan.done)

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
