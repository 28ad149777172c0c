"""Bring the photons of a scan to disk; what the disk refuses is told, and the scan goes on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.model.parameters import Settings
from pipeline.photons.list_file import PhotonFile, Rows
from pipeline.photons.list_path import PhotonFileError
from pipeline.protocols.batch import PhotonList, StartInfo


@dataclass(frozen=True)
class Job:
    """What is to be written next, taken out of a scan at one moment."""

    frames: list[tuple[int, PhotonList]]
    seen: int
    skipped: int
    changed: tuple[Settings, int] | None = None
    """Settings that have changed, and the frames seen before."""

    def rows(self) -> Rows:
        """Return the photons as columns."""
        lists = [photons for _, photons in self.frames]
        numbers = np.array([number for number, _ in self.frames], np.int64)
        nothing = [np.empty(0, np.float32)]
        return Rows(
            frame=np.repeat(numbers, [len(photons) for photons in lists]).astype(np.uint32),
            y=np.concatenate([photons.y for photons in lists] or nothing),
            x=np.concatenate([photons.x for photons in lists] or nothing),
            energy=np.concatenate([photons.energy for photons in lists] or nothing),
        )


class PhotonWriter:
    """Owns the photon file of a scan: makes it with the first job, and survives its failure.

    One thread at a time may write and close; the properties can be read from any.

    Args:
        start: the camera's header; it names the raw file.
        settings: in force at the start of the scan.
    """

    def __init__(self, start: StartInfo | None, settings: Settings) -> None:
        self._start = start
        self._settings = settings
        self._file: PhotonFile | None = None
        self._problem = ""
        self._closed = False

    @property
    def named(self) -> bool:
        """True when the header names a raw file."""
        return self._start is not None and bool(self._start.filename)

    @property
    def path(self) -> str:
        """The file; empty before it stands."""
        return "" if self._file is None else str(self._file.path)

    @property
    def problem(self) -> str:
        """Why nothing is written any more; empty when all is well."""
        return self._problem

    @property
    def closed(self) -> bool:
        """True when all that came is in the file and the file is closed."""
        return self._closed

    def write(self, job: Job) -> bool:
        """Append and flush; return False when the photons of this job are lost."""
        try:
            self._write(job)
        except PhotonFileError as error:
            self.give_up(str(error))
        return not self._problem

    def close(
        self, job: Job, complete: bool, energy: NDArray[np.float64], counts: NDArray[np.int64]
    ) -> bool:
        """Write the last job, the histogram and whether the scan is complete, and close.

        Returns:
            False when the photons of this job are lost.
        """
        try:
            file = self._write(job)
            if file is not None:
                file.close(complete, energy, counts)
            self._closed = True
        except PhotonFileError as error:
            self.give_up(str(error))
        return not self._problem

    def refuse(self, problem: str) -> None:
        """Take no photons any more; may be called while another thread writes."""
        self._problem = self._problem or problem

    def give_up(self, problem: str) -> None:
        """Write nothing any more; for the thread that writes."""
        self.refuse(problem)
        if self._file is not None:
            self._file.abandon()

    def _write(self, job: Job) -> PhotonFile | None:
        if self._problem:
            self.give_up(self._problem)
        if self._problem or self._start is None or not self.named:
            return None
        if self._file is None:
            self._file = PhotonFile(self._start.filename, self._start.stream, self._settings)
        if job.changed is not None:
            self._file.note_settings(*job.changed)
        self._file.write(job.rows(), job.seen, job.skipped)
        return self._file
