"""The one owner of the question: is every frame of this series safe somewhere?

A frame needs no raw data once its photons are durable: written to the photon file, and read back as
written. `FrameLedger` accounts for every frame number since the camera's header, and says whether
raw data may be dropped, why not, and which frames have no photons.

It has no thread, no disk and no clock: the time is passed in, and what the file's writer says too.
"""

import math
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

from pipeline.model.frame_ranges import FrameRanges
from pipeline.protocols.batch import FrameStatus

MAX_WAIT = 2.0
"""A frame that waits longer for its photons to be durable needs its raw data [s]."""
MAX_STALL = 1.0
"""Results that wait longer for an event that does not come do not count as safe [s]."""
MAX_UNSEEN = 1.5
"""A file at which nobody has looked for longer may be gone [s]."""
_NAMED_RANGES = 1000
"""Ranges of frames that a text names before it only counts."""


class FileState(StrEnum):
    """Where the photon file of a series stands."""

    NO_HEADER = "no header"
    """The camera's header was not seen: nobody knows the file's name."""
    UNNAMED = "unnamed"
    """The header names no raw file: live viewing."""
    OFF = "off"
    """The file is not wanted."""
    WRITING = "writing"
    """The file takes photons, or is being made."""
    FAILED = "failed"
    """The disk refused: the file takes nothing more."""
    GONE = "gone"
    """The file was deleted or moved: no frame is durable."""


_TAKES_NOTHING = (FileState.NO_HEADER, FileState.UNNAMED, FileState.FAILED, FileState.GONE)


@dataclass(frozen=True)
class FileFacts:
    """What the file's writer says, all of one moment."""

    state: FileState
    path: str = ""
    """Empty: it does not stand yet."""
    problem: str = ""
    """Why it takes nothing more."""
    durable: FrameRanges = field(default_factory=FrameRanges)
    """Frames whose photons are on disk, as written."""
    seen: float | None = None
    """When its thread last saw it stand, or began to make it, monotonic [s]; None: it is closed, or
    not wanted."""
    found: FrameRanges = field(default_factory=FrameRanges)
    """Of the durable frames, those that the process before wrote."""
    lost: FrameRanges = field(default_factory=FrameRanges)
    """Frames that were durable for the process before, and are not in the file that goes on."""


@dataclass(frozen=True)
class Queue:
    """Results that have come and wait for those of an earlier event."""

    event: int = 0
    """The event that has not come."""
    since: float = math.inf
    """When the first of them came, monotonic [s]."""
    frames: tuple[int, ...] = ()


NO_QUEUE = Queue()


@dataclass(frozen=True)
class Safety:
    """A verdict."""

    reason: str
    """Why raw data must be kept, and what to do; empty: they may be dropped."""
    trouble: str
    """What is wrong with the file and somebody must see to, now; empty: nothing."""
    stalled: str
    """Why newer results are not counted yet; empty: they are."""
    newest: int
    """Number of the newest frame that has come; -1: there is none."""
    unsafe: FrameRanges
    """Frames that have no durable photons, and will have none."""
    waiting: FrameRanges
    """Frames that have come and whose photons are not durable yet."""
    complete: bool
    """The series has ended, and the photons of each frame are durable."""

    @property
    def may_drop_raw(self) -> bool:
        """True when every frame so far is safe without raw data."""
        return not self.reason


def frames_text(frames: FrameRanges) -> str:
    """Name frames: ``3-5, 9``."""
    return frames.text(_NAMED_RANGES)


class FrameLedger:
    """Accounts for every frame of one series; not for several threads at once."""

    def __init__(self) -> None:
        self.newest = -1
        """The highest number of a frame; all up to it are accounted for."""
        self._not_come = FrameRanges()
        """Of unsafe frames, those that have not come; they may, late."""
        self._guessed = FrameRanges()
        """Of unsafe frames, those that failed, but perhaps had another number."""
        self._unsafe = FrameRanges()
        self._waiting = FrameRanges()
        self._since: deque[tuple[int, float]] = deque()
        """Frame, and when it came; of those that wait, in the order in which they are written."""
        self._beyond: int | None = None
        self._ended = False

    @property
    def frames(self) -> FrameRanges:
        """All frames of the series so far."""
        return FrameRanges([(0, self.newest)] if self.newest >= 0 else [])

    @property
    def never_came(self) -> bool:
        """True when frames of the series have not come."""
        return bool(self._not_come)

    def note(self, frame: int, status: FrameStatus, since: float) -> None:
        """Account for a frame that has come.

        Args:
            frame: its number in the series.
            status: what came of it.
            since: when it came, monotonic [s].
        """
        self.lose_before(frame)
        if frame in self._not_come or frame in self._guessed:
            one = FrameRanges([(frame, frame)])
            self._not_come = self._not_come.difference(one)
            self._guessed = self._guessed.difference(one)
            self._unsafe = self._unsafe.difference(one)
        elif frame <= self.newest:
            # Nobody can tell its photons from those of the other frame with this number.
            self._unsafe.add(frame)
        self.newest = max(self.newest, frame)
        if status is FrameStatus.SEARCHED:
            self._waiting.add(frame)
            self._since.append((frame, since))
        elif status is not FrameStatus.DISCARDED:
            self._unsafe.add(frame)

    def fail(self, frame: int) -> None:
        """Account for a frame that came and could not be read, so that its number is a guess."""
        self.lose_before(frame)
        if frame > self.newest:
            self._guessed.add(frame)
        self._unsafe.add(frame)
        self.newest = max(self.newest, frame)

    def lose_before(self, frame: int) -> None:
        """Account for the frames between the newest and this one: they have not come."""
        if frame > self.newest + 1:
            self._not_come.add_range(self.newest + 1, frame - 1)
            self._unsafe.add_range(self.newest + 1, frame - 1)
            self.newest = frame - 1

    def go_beyond(self, frame: int) -> None:
        """Note that the event in which the series should have ended brought a frame."""
        self._beyond = frame if self._beyond is None else self._beyond

    def end(self) -> None:
        """Note that the series has ended, and everything before its end is in."""
        self._ended = True

    def oldest_waiting(self, file: FileFacts) -> tuple[int, float] | None:
        """Return the frame that has waited longest to be durable, and since when [s]."""
        self.update(file)
        # A frame that was late stands before those that waited for it.
        return min(self._since, key=lambda waiting: waiting[1], default=None)

    def judge(self, now: float, file: FileFacts, quality: str, queue: Queue = NO_QUEUE) -> Safety:
        """Decide whether every frame is safe somewhere.

        Args:
            now: monotonic time [s].
            file: what its writer says.
            quality: why the photons cannot stand for the raw data; empty: they can.
            queue: results that are not accounted for yet.
        """
        self.update(file)
        trouble = self._trouble(now, file)
        stalled = _stalled(now, queue)
        unsafe = self.frames if file.state is FileState.GONE else self._unsafe
        waiting = self._waiting.copy()
        for frame in queue.frames:
            waiting.add(frame)
        done = self._ended and file.state not in _TAKES_NOTHING and bool(file.path)
        return Safety(
            reason=trouble or quality or stalled or _unwritten(file) or self._incomplete(unsafe),
            trouble=trouble,
            stalled=stalled,
            newest=max(self.newest, *queue.frames) if queue.frames else self.newest,
            unsafe=unsafe.copy(),
            waiting=waiting,
            complete=done and not unsafe and not waiting and self._beyond is None,
        )

    def go_on(self, unread: FrameRanges, now: float) -> None:
        """Go on in a new process, whose clock is another one.

        Args:
            unread: frames that were durable, in a file that is not continued yet: they wait again.
            now: monotonic time [s].
        """
        unread = unread.difference(self._unsafe)
        self._since = deque((frame, now) for frame, _ in self._since)
        if unread:
            # The last one stands for them all: a file that was cut has lost that one.
            self._since.appendleft((unread.as_tuple()[-1][1], now))
            self._waiting.update(unread)

    def update(self, file: FileFacts) -> None:
        """Take over what has become of the frames that wait, or did not come to this process."""
        if file.found and self._not_come:
            # They came to the process before, which was killed before it had told the journal.
            left = self._not_come.difference(file.found)
            self._unsafe = self._unsafe.difference(self._not_come.difference(left))
            self._not_come = left
        if file.lost:
            self._unsafe.update(file.lost)
            self._waiting = self._waiting.difference(file.lost).difference(file.durable)
            self._since = deque(one for one in self._since if one[0] not in file.lost)
        if self._since and self._since[0][0] in file.durable:
            while self._since and self._since[0][0] in file.durable:
                self._since.popleft()
            self._waiting = self._waiting.difference(file.durable)
        if file.state in _TAKES_NOTHING and self._since:
            self._unsafe.update(self._waiting)
            self._waiting = FrameRanges()
            self._since.clear()

    def _trouble(self, now: float, file: FileFacts) -> str:
        if file.problem:
            return file.problem
        oldest = self.oldest_waiting(file)
        waited = 0.0 if oldest is None else now - oldest[1]
        if oldest is not None and waited > MAX_WAIT:
            return (
                f"Photons from frame {oldest[0]} on have waited {waited:.0f} s to be written: "
                "their raw data are needed; look at the disk of the photon file."
            )
        if file.seen is not None and now - file.seen > MAX_UNSEEN:
            return (
                f"Whether the photon file stands is not known for {now - file.seen:.1f} s: the "
                f"disk of {file.path or 'its folder'} hangs or is slow, look at it."
            )
        return ""

    def _incomplete(self, unsafe: FrameRanges) -> str:
        if self._beyond is not None:
            return (
                f"The series goes on beyond the frames that were announced: frame {self._beyond} "
                "came in place of its end, and later ones do not come. Prepare as many frames as "
                "the camera sends, then start a new scan."
            )
        if unsafe:
            return (
                f"Frames {unsafe} of this scan have no photons in the file: their raw data are "
                "needed, start a new scan."
            )
        return ""


def _stalled(now: float, queue: Queue) -> str:
    if now - queue.since <= MAX_STALL:
        return ""
    return (
        f"Event {queue.event} has not come for {now - queue.since:.0f} s; the results behind it "
        "wait: look at the workers."
    )


def _unwritten(file: FileFacts) -> str:
    if file.state is FileState.OFF:
        return "Photons are trusted but not written: switch WritePhotons on."
    if file.state is FileState.NO_HEADER:
        return (
            "Photons are trusted but not written: the header of this series was not seen, so the "
            "raw file's name is not known. Start a new scan."
        )
    if file.state is FileState.UNNAMED:
        return (
            "Photons are trusted but not written: the camera's header names no raw file, "
            "from which the photon file gets its name."
        )
    if not file.path and file.seen is None:
        return "There is no photon file yet: start a new scan."
    return ""
