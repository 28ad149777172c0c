"""Whether a scan has a photon file, and what goes in before a photon comes."""

import copy
from collections.abc import Callable
from dataclasses import replace

from pipeline.model.frame_ranges import FrameRanges
from pipeline.model.parameters import Settings
from pipeline.photons.early_frames import EarlyFrames
from pipeline.photons.frame_safety import FileFacts, FileState
from pipeline.photons.list_columns import FrameRow
from pipeline.photons.list_resume import NO_FILE, Existing
from pipeline.photons.list_writer import PhotonWriter
from pipeline.protocols.batch import StartInfo


class WantedFile:
    """The photon file of a scan, as soon as it is wanted.

    The lock of the scan guards it. What only asks the writer needs no lock: `expect`, `path`,
    `durable`, `settled`, `make_room` and `wait`.

    Args:
        start: the camera's header; None when it is not known: nothing is written then.
        settings: in force now.
        clock: monotonic time [s].
        existing: photon file of the process before, which is continued.
    """

    def __init__(
        self,
        start: StartInfo | None,
        settings: Settings,
        clock: Callable[[], float],
        existing: Existing = NO_FILE,
    ) -> None:
        self._start = start
        self._settings = settings
        self._early = EarlyFrames()
        self._closed = False
        named = start is not None and bool(start.filename)
        self._writer = PhotonWriter(start, settings, clock, existing) if start and named else None
        self.begin()

    def copy(self) -> "WantedFile":
        """Return what a journal keeps: it does not change any more, but for the writer."""
        kept = copy.copy(self)
        kept._early = copy.deepcopy(self._early)
        return kept

    def expect(self, existing: Existing) -> None:
        """Continue a file of the process before, unless the file is known."""
        if self._writer is not None:
            self._writer.expect(existing)

    def go_on(self) -> None:
        """Continue the file in a new process."""
        self.begin()
        if self._writer is not None:
            self._writer.go_on()

    @property
    def path(self) -> str:
        """The file; empty before it stands."""
        return "" if self._writer is None else self._writer.path

    @property
    def durable(self) -> tuple[tuple[int, int], ...]:
        """First and last of each range of frames whose photons are in the file, as written."""
        return () if self._writer is None else self._writer.durable

    @property
    def unread(self) -> FrameRanges:
        """Frames that the process before had written, in a file that is not continued yet."""
        return FrameRanges() if self._writer is None else self._writer.unread

    @property
    def settled(self) -> bool:
        """True when no file waits to be closed."""
        return self._writer is None or self._writer.settled

    @property
    def facts(self) -> FileFacts:
        """How the file stands, or why there is none."""
        if self._writer is None:
            return FileFacts(FileState.UNNAMED if self._start else FileState.NO_HEADER)
        facts = self._writer.facts
        off = facts.state is FileState.WRITING and not self._settings.write_photons
        return replace(facts, state=FileState.OFF) if off else facts

    @property
    def begun(self) -> bool:
        """True when there is a file, or will be."""
        return self._writer is not None and self._writer.begun

    @property
    def wanted(self) -> bool:
        """True when there is a file, or there is to be one before a photon comes."""
        settings = self._settings
        wanted = settings.write_photons and settings.photon_region is not None
        return self.begun or (wanted and not self._closed)

    def put(self, row: FrameRow) -> None:
        """Give a frame its row, or keep it for a file that may be wanted later."""
        if self._writer is None:
            return
        if row.photons is None and not self.wanted:
            self._early.add(row)
            return
        self._give_early(self._writer)
        self._writer.add(row)

    def begin(self) -> None:
        """Make the file as soon as it is wanted, before a photon comes."""
        if self._writer is not None and self.wanted and not self._writer.begun:
            self._give_early(self._writer)
            self._writer.begin()

    def _give_early(self, writer: PhotonWriter) -> None:
        """Give the frames that came before a file was wanted their rows."""
        for row in self._early.take():
            writer.add(row)

    def update(self, settings: Settings) -> None:
        """Take over changed settings."""
        self._settings = settings
        self.begin()

    def flush(self) -> None:
        """Write what has come, and look whether the file stands."""
        self.begin()
        if self._writer is not None and self._writer.begun:
            self._writer.flush()

    def end(self) -> None:
        """Take note that no file is wanted any more, unless a photon comes."""
        self.begin()
        self._closed = True

    def close(self, complete: bool) -> None:
        """Close the file once all is written.

        Args:
            complete: the scan has come to its end with all its frames.
        """
        if self._writer is not None:
            self._writer.close(complete)

    def make_room(self, timeout: float) -> None:
        """Wait while many photons wait for the disk, at most so long [s]."""
        if self._writer is not None:
            self._writer.make_room(timeout)

    def wait(self, timeout: float) -> bool:
        """Wait until all that came is written, at most so long [s]; return whether it is."""
        return self._writer is None or self._writer.wait(timeout)
