"""The NeXus file of a scan's photons, which opens whenever the process that writes it is killed.

All its groups, datasets and attributes exist from the moment that it can be seen; then columns grow
and a few values change (`AppendFile`), and nothing else.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.files.atomic import FileError, write_numbered
from pipeline.files.hdf5_append import AppendFile
from pipeline.files.nexus import now_text
from pipeline.model.frame_ranges import FrameRanges
from pipeline.model.parameters import Settings
from pipeline.photons import list_resume
from pipeline.photons.list_columns import (
    CHANGES,
    FrameRow,
    columns_of,
    frame_columns,
    photon_columns,
    photon_table,
)
from pipeline.photons.list_layout import empty_file
from pipeline.photons.list_path import PhotonFileError, PhotonFileGone, photon_path
from pipeline.photons.list_resume import NO_FILE, NOT_SEEN, Existing, histogram_edges

logger = logging.getLogger(__name__)


@contextmanager
def _told(path: Path, doing: str) -> Iterator[None]:
    """Turn what the disk and HDF5 raise into the one error that the owner knows."""
    try:
        yield
    except PhotonFileError:
        raise
    except FileNotFoundError as error:
        raise PhotonFileGone(
            f"photon file {path} was deleted or moved while it was written. Photons are counted "
            "but not written: find out who did it, then start a new scan."
        ) from error
    except Exception as error:
        refusal = error.__cause__ if isinstance(error, FileError) and error.__cause__ else error
        text = getattr(refusal, "strerror", None) or str(refusal)
        raise PhotonFileError(
            f"photon file {path} could not be {doing}: {text}. Photons are counted but not "
            "written: check folder, permissions and space, then start a new scan."
        ) from error


class PhotonFile:
    """A file that takes photons; for one thread.

    Args:
        raw: absolute path of the raw file, as the camera's header gives it.
        detector: stream name of the camera.
        settings: in force at the start; those of each frame come with it.
        existing: of the process before; it is continued where that can be done.
        chunk: rows that are allocated together.

    Raises:
        PhotonFileError: by each method, when the raw file's path cannot be used or the disk
            refuses. After it the file takes nothing more.
    """

    def __init__(
        self,
        raw: str,
        detector: str,
        settings: Settings,
        existing: Existing = NO_FILE,
        chunk: int = 16_384,
    ) -> None:
        wanted = photon_path(raw)
        self.found = FrameRanges()
        """Frames whose photons were in the file when it was continued."""
        self._present = FrameRanges()
        """Frames that had a row then."""
        found = list_resume.find(existing, wanted, raw)
        if found is not None and self._resume(found):
            return
        self._table = photon_table(settings)
        self._edges = histogram_edges(settings)
        self._counts = np.zeros(max(len(self._edges) - 1, 0), np.int64)
        self._settings = ""
        self._row_of: dict[int, int] = {}
        """Where the frames that were not seen have their rows, should they come after all."""

        with _told(wanted, "created"):
            wanted.parent.mkdir(parents=True, exist_ok=True)
            make = empty_file(wanted.parent, raw, detector, settings, chunk)
            self.path = write_numbered(wanted, make)
        self._open: AppendFile | None = None

    def _resume(self, path: Path) -> bool:
        """Continue a file; return whether that can be done."""
        with _told(path, "continued"):
            resumed = list_resume.resume(path)
        if resumed is None:
            logger.warning("photon file %s cannot be continued: another one is begun", path)
            return False
        self.path, self._open = path, resumed.file
        self._table = photon_table(resumed.settings)
        self._edges, self._counts = resumed.edges, resumed.counts
        self._settings, self._present = resumed.newest_settings, resumed.present
        self.found, self._row_of = resumed.searched, dict(resumed.not_seen)
        return True

    def _is_new(self, frame: FrameRow) -> bool:
        """Say whether a continued file does not have a frame yet, or only that it was not seen."""
        if frame.frame not in self._present:
            return True
        return frame.frame in self._row_of and frame.status not in NOT_SEEN

    def write(self, frames: Sequence[FrameRow]) -> None:
        """Append frames and their photons; they are on disk, as written, afterwards."""
        frames = [frame for frame in frames if self._is_new(frame)]
        seen = {frame.frame for frame in frames if frame.status not in NOT_SEEN}
        frames = [f for f in frames if f.status not in NOT_SEEN or f.frame not in seen]
        late = [frame for frame in frames if frame.frame in self._row_of]
        new = [frame for frame in frames if frame.frame not in self._row_of]
        photons = photon_columns(frames, self._table)
        values: dict[str, NDArray[Any]] = {}
        if len(self._counts):
            self._counts += np.histogram(photons["energy"], self._edges)[0]
            values["entry/energy_histogram/counts"] = self._counts
        rows = {
            f"entry/{group}/{name}": column
            for group, columns in (
                ("process/changes", self._changes(frames)),
                ("photons", photons),
                ("frames", frame_columns(new)),
            )
            for name, column in columns.items()
        }
        with self._file() as file:
            first = file.length("entry/frames/frame")
            file.append(rows, values)
            for i, frame in enumerate(new):
                if frame.status in NOT_SEEN:
                    self._row_of[frame.frame] = first + i
            for frame in late:
                row = self._row_of.pop(frame.frame)
                for name, column in frame_columns([frame]).items():
                    file.replace(f"entry/frames/{name}", row, column)

    def check(self) -> None:
        """Look whether the file still stands."""
        with self._file() as file:
            file.check()

    def close(self, complete: bool) -> None:
        """Say that the scan has ended, and whether it is complete; more may be written later."""
        values = {"complete": np.array(int(complete)), "end_time": np.array(now_text().encode())}
        with self._file() as file:
            file.append({}, {f"entry/{name}": value for name, value in values.items()})
            self._open = None
            file.close()

    def abandon(self) -> None:
        """Close the file as it stands on disk."""
        file, self._open = self._open, None
        if file is not None:
            file.abandon()

    @contextmanager
    def _file(self) -> Iterator[AppendFile]:
        with _told(self.path, "written"):
            file = self._open or AppendFile(self.path)
            self._open = file
            try:
                yield file
            except BaseException:
                self.abandon()
                raise

    def _changes(self, frames: Sequence[FrameRow]) -> dict[str, NDArray[Any]]:
        """Return rows for the frames that were searched with other settings than those before."""
        changed: list[tuple[bytes, int]] = []
        for frame in frames:
            if frame.settings and frame.settings != self._settings:
                self._settings = frame.settings
                changed.append((frame.settings.encode(), frame.frame))
        return columns_of(CHANGES, changed)
