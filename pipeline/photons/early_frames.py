"""What came of the frames before a photon file was wanted, so that it can have rows for them."""

from pipeline.model.frame_ranges import FrameRanges
from pipeline.photons.list_columns import FrameRow
from pipeline.protocols.batch import FrameStatus


class EarlyFrames:
    """Rows without photons; ranges of frames, so that a long scan takes no memory."""

    def __init__(self) -> None:
        self._frames: dict[FrameStatus, FrameRanges] = {}
        self._changes: list[FrameRow] = []
        """Of them, the first one of each change of settings."""

    def add(self, row: FrameRow) -> None:
        """Take what came of a frame."""
        changes = self._changes
        if row.settings and (not changes or changes[-1].settings != row.settings):
            changes.append(row)
        else:
            self._frames.setdefault(row.status, FrameRanges()).add(row.frame)

    def take(self) -> list[FrameRow]:
        """Take all of them out, in the order of their frames."""
        rows = self._changes
        rows += [
            FrameRow(frame, status) for status, frames in self._frames.items() for frame in frames
        ]
        self._frames, self._changes = {}, []
        return sorted(rows, key=lambda row: row.frame)
