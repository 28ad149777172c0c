"""What the reducer publishes, fetched at the device's pace and kept as one frozen observation."""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from femtotango.dranspose_client.published import fetch_all, fetch_group
from femtotango.dranspose_client.reducer import Reducer
from femtotango.errors import BadReply, PipelineError, TimedOut
from pipeline.protocols.packed_datasets import RoiCurves
from pipeline.protocols.published_paths import CURVES, REVISION, SNAPSHOT
from pipeline.protocols.snapshot import NOTHING, Published

_RATE_WINDOW = 2.0
"""The frame rate is an average over so long [s]."""
_SHARE = 10
"""Fetching curves may take one part in so many of the time."""
_QUICK = 0.3
"""Curves that take longer than this are not fetched with the snapshot [s]."""
PATIENCE = 1
"""Answers in a row that may come too late: a part that is busy is not away."""
_ANSWER = 4.0
"""A snapshot that takes longer comes too late: the reducer hangs, or is very busy [s]."""
_REFRESH = 5.0
"""A restarted reducer could show the revision that is known: poll it again after so long [s]."""


def _empty_rows() -> NDArray[np.float64]:
    return np.empty((0, 0))


@dataclass(frozen=True)
class Curves:
    """ROI curves and the axis that belongs to them."""

    names: tuple[str, ...] = ()
    x: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    """``(point,)``."""
    means: NDArray[np.float64] = field(default_factory=_empty_rows)
    """``(roi, point)``."""
    errors: NDArray[np.float64] = field(default_factory=_empty_rows)
    """``(roi, point)`` standard errors; NaN where there is none."""
    map_x: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    """``(point,)`` positions of the first of two movables; empty: there are not two."""
    map_y: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    """``(point,)`` of the second."""
    revision: int = -1
    mapping: str = ""
    """The scan that they belong to."""
    counts: NDArray[np.float64] | None = None
    """``(roi, point)`` frames in each point; None: one in each."""

    def rows(self, names: tuple[str, ...], values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return rows in the order of `names`; NaN for a ROI that is not there yet."""
        order = {name: i for i, name in enumerate(self.names)}
        rows = np.full((len(names), len(self.x)), np.nan)
        for i, name in enumerate(names):
            if name in order:
                rows[i] = values[order[name]]
        return rows


@dataclass(frozen=True)
class Observation:
    """The newest that is known of the results."""

    snapshot: Published = NOTHING
    """The published values."""
    curves: Curves = field(default_factory=Curves)
    frame_rate: float = 0.0
    """Frames per second, averaged over two seconds."""
    time: float = 0.0
    """When the snapshot was fetched, epoch [s]."""
    polled: float = 0.0
    """When the reducer answered last, epoch [s]."""
    error: str | None = "The reducer was not asked yet."
    """Why there are no results; None: there are."""

    @property
    def revision(self) -> int:
        """Number of the snapshot; -1: there is none."""
        return self.snapshot.revision

    @property
    def mapping(self) -> str:
        """The trigger map whose results these are; empty before the first."""
        return self.snapshot.scan.mapping

    @property
    def frames(self) -> int:
        """Frames that the pipeline has processed, ever."""
        return self.snapshot.health.frames

    @property
    def failed_frames(self) -> int:
        """Frames that the pipeline could not use, ever."""
        return self.snapshot.health.failed_frames

    @property
    def failed_before(self) -> int | None:
        """Of a scan that begins now, the frames that had failed; None: no results have come yet."""
        return self.failed_frames if self.revision >= 0 else None

    @property
    def whole(self) -> bool:
        """True when snapshot and curves are of one revision."""
        return self.error is None and self.curves.revision == self.revision


def _curves_of(newest: Observation, curves: RoiCurves) -> Curves:
    """Return the curves of what is known."""
    return Curves(
        curves.names,
        curves.x,
        curves.means,
        curves.errors,
        curves.map_x,
        curves.map_y,
        newest.revision,
        newest.mapping,
        curves.counts,
    )


class Observer:
    """Polls the reducer; one thread calls `poll_results` again and again."""

    def __init__(self, reducer: Reducer) -> None:
        self._reducer = reducer
        self._newest = Observation()
        self._fetched = 0.0
        self._curves_due = 0.0
        self._quick = False
        """Curves were fetched fast: they may come with the snapshot."""
        self._counts: deque[tuple[float, int]] = deque()
        self._timeouts = 0
        self._moving = False
        """The newest poll found new results."""

    def poll_results(self, complete: bool = False) -> Observation:
        """Fetch what is new.

        Args:
            complete: fetch the curves too, however long ago they were fetched.
        """
        try:
            self._newest = self._fetch(complete)
            self._timeouts = 0
        except TimedOut as error:
            self._timeouts += 1
            if self._timeouts > PATIENCE:
                self._fail(error)
        except PipelineError as error:
            self._fail(error)
        return self._newest

    def _fail(self, error: PipelineError) -> None:
        self._counts.clear()
        self._newest = replace(self._newest, error=str(error), frame_rate=0.0)

    def _fetch(self, complete: bool) -> Observation:
        now = time.monotonic()
        newest = self._newest
        away = newest.error is not None
        stale = away or now - self._fetched > _REFRESH
        # While results come in, the next snapshot is new: asking for its number first is in vain.
        if (self._moving and not away) or self._revision() != newest.revision or stale:
            due = complete or now >= self._curves_due
            snapshot, curves = self._fetch_snapshot(with_curves=due and self._quick)
            self._fetched = now
            self._moving = snapshot.revision != newest.revision
            if self._moving or stale:
                newest = replace(newest, snapshot=snapshot, time=time.time(), error=None)
            if curves is not None:
                newest = replace(newest, curves=_curves_of(newest, curves))
        behind = newest.curves.revision != newest.revision
        if behind and (complete or now >= self._curves_due):
            newest = replace(newest, curves=self._fetch_curves(newest))
        return replace(newest, frame_rate=self._rate(now, newest.frames), polled=time.time())

    def _revision(self) -> int:
        try:
            return int(self._reducer.scalar(REVISION))
        except BadReply as error:
            raise BadReply(
                f"The reducer at {self._reducer.url} publishes no results ({error}): "
                "start it with -c pipeline.reducer:FemtomaxReducer."
            ) from error

    def _fetch_snapshot(self, with_curves: bool) -> tuple[Published, RoiCurves | None]:
        if not with_curves:
            return fetch_group(self._reducer, Published, SNAPSHOT, _ANSWER), None
        self._quick = False
        with self._note_time():
            return fetch_all(self._reducer, _ANSWER)

    def _fetch_curves(self, newest: Observation) -> Curves:
        if not newest.mapping:
            return Curves(revision=newest.revision)
        with self._note_time():
            return _curves_of(newest, fetch_group(self._reducer, RoiCurves, CURVES))

    @contextmanager
    def _note_time(self) -> Iterator[None]:
        """Note how long curves take, and when they may be fetched again."""
        begin = time.monotonic()
        yield
        end = time.monotonic()
        self._quick = end - begin < _QUICK
        self._curves_due = end + _SHARE * (end - begin)

    def _rate(self, now: float, frames: int) -> float:
        counts = self._counts
        if counts and frames < counts[-1][1]:
            counts.clear()
        counts.append((now, frames))
        while now - counts[0][0] > _RATE_WINDOW:
            counts.popleft()
        elapsed = now - counts[0][0]
        return (frames - counts[0][1]) / elapsed if elapsed > 0 else 0.0
