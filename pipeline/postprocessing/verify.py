"""Does a photon file hold exactly what its raw file gives with the settings that it names?"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.files.atomic import FileError
from pipeline.model.cameras import CAMERAS
from pipeline.model.frame_ranges import FrameRanges
from pipeline.model.parameters import Settings
from pipeline.photons.calibration import CalibrationError
from pipeline.photons.matched_frame import calibration_for
from pipeline.postprocessing.block import Block, BlockWork, Event, batches
from pipeline.postprocessing.errors import BadRawFile, BadSettings
from pipeline.postprocessing.photon_list import COLUMNS, FrameEntry, PhotonListFile
from pipeline.postprocessing.pool import Pool
from pipeline.postprocessing.raw_file import RawSeries, read_series
from pipeline.postprocessing.source import block_size
from pipeline.protocols.batch import EventResult, FrameStatus, PhotonFrame, PhotonList

_MAPPING = "verify"
_DETAILS = 20
"""So many frames that differ are told one by one."""
_SAMPLES = 3
"""Frames that tell which series of a raw file a photon file belongs to."""
_NOT_IN_RAW = (FrameStatus.NEVER_CAME, FrameStatus.DISCARDED, FrameStatus.FAILED)
"""Of frames that the raw file need not have."""


@dataclass
class Verdict:
    """What the comparison found."""

    raw: str
    photons: int
    """In the photon file."""
    complete: bool
    """It says that it is."""
    proven: FrameRanges = field(default_factory=FrameRanges)
    """Frames that are in the file as the raw file gives them."""
    differ: FrameRanges = field(default_factory=FrameRanges)
    """Frames that are not."""
    missing: FrameRanges = field(default_factory=FrameRanges)
    """Of those, the ones that the file has not at all."""
    not_saved: FrameRanges = field(default_factory=FrameRanges)
    """Frames of which neither file has anything, as the photon file says."""
    problems: list[str] = field(default_factory=list)
    """What does not fit together in the photon file itself."""
    details: list[str] = field(default_factory=list)
    """Sentences about the first frames that differ."""

    @property
    def same(self) -> bool:
        """True when the photon file is exactly what the raw file gives."""
        return not (self.differ or self.problems)

    def add(self, frame: int, difference: str) -> None:
        """Note what came of a frame; empty: it is the same."""
        if not difference:
            self.proven.add(frame)
            return
        self.differ.add(frame)
        if len(self.details) < _DETAILS:
            self.details.append(f"frame {frame}: {difference}")


def verify(
    file: PhotonListFile,
    series: RawSeries,
    pool: Pool,
    progress: Callable[[int], None] = lambda _: None,
) -> Verdict:
    """Compare a photon file with the series that it was made of.

    Args:
        file: the photon file.
        series: its raw frames.
        pool: does the work.
        progress: called with the number of frames that are done.

    Raises:
        ProcessingError: it could not be done.
    """
    file.check_settings()
    file.check_histogram()
    file.check_corrected()
    _check_calibrations(file, series)
    verdict = Verdict(series.raw, file.photons, file.complete, problems=list(file.problems))
    left = dict(file.frames)
    done = 0
    newest, behind = -1, -1
    for block, result in pool.process(_blocks(file, series)):
        for event, batch in zip(block.events, batches(result), strict=True):
            number = _frame(event).number
            entry = left.pop(number, None)
            if entry is None:
                verdict.missing.add(number)
            verdict.add(number, _difference(file, entry, batch.result))
            # Photons are written in the order in which the frames came.
            if entry is not None and entry.length:
                if entry.first < newest:
                    verdict.problems.append(
                        f"photons of frame {number} stand before those of frame {behind}"
                    )
                newest, behind = entry.first, number
        done += len(block.events)
        progress(done)
    for number, entry in left.items():
        if entry.status in _NOT_IN_RAW and not entry.length:
            verdict.not_saved.add(number)
        else:
            verdict.add(number, f"{_said(entry)}; the raw file has no such frame")
    return verdict


def _check_calibrations(file: PhotonListFile, series: RawSeries) -> None:
    """Look whether the calibrations are there that photons were searched with.

    Raises:
        BadSettings: one is not.
    """
    for settings in (file.settings, *(settings for _, settings in file.changes)):
        if settings.matched is not None:
            try:
                calibration_for(settings.matched.calibration, series.shape)
            except (FileError, CalibrationError) as error:
                raise BadSettings(f"{file.path} cannot be compared: {error}") from error


def find_series(file: PhotonListFile, raw: Path | None, dataset: str = "") -> RawSeries:
    """Return the series in a raw file that a photon file was made of.

    Args:
        file: the photon file.
        raw: the raw file; None: the one that the photon file links to.
        dataset: path of the frames in it; empty: where receivers put them.

    Raises:
        ProcessingError: there is none.
    """
    path = file.raw if raw is None else raw
    if raw is None and not path.exists():
        raise BadRawFile(
            f"The raw file {path} is not there: say where it is, femtotango verify {file.path} RAW."
        )
    if file.stream not in CAMERAS:
        raise BadRawFile(f"{file.path}: camera {file.stream!r} is not known.")
    found = read_series(path, file.stream, dataset)
    return found[0] if len(found) == 1 else _best(file, found)


def _best(file: PhotonListFile, found: Sequence[RawSeries]) -> RawSeries:
    """Choose among series that were appended to one another."""
    scores = [_score(file, series) for series in found]
    return found[scores.index(max(scores))]


def _score(file: PhotonListFile, series: RawSeries) -> tuple[int, int]:
    work = BlockWork()
    known = [frame for frame in series.frames if frame.number in file.frames]
    samples = [frame for frame in known if file.frames[frame.number].length][:_SAMPLES]
    same = 0
    for frame in samples:
        event = Event(0, {series.stream: frame})
        block = Block(0, f"{_MAPPING}-{series.part}", _plain(file, frame.number), (event,))
        (batch,) = batches(work.process(block))
        same += not _difference(file, file.frames[frame.number], batch.result)
    # Without photons, the one with as many frames.
    return same, -abs(len(series.frames) - len(file.frames))


def _plain(file: PhotonListFile, frame: int) -> Settings:
    """Return the settings of a frame, without what only costs time here."""
    return replace(file.settings_at(frame), rois="{}", accumulate=True)


def _blocks(file: PhotonListFile, series: RawSeries) -> Iterator[Block]:
    size = block_size(series.frame_bytes, len(series.frames))
    events: list[Event] = []
    index = 0
    settings = _plain(file, series.frames[0].number)
    for number, frame in enumerate(series.frames):
        own = _plain(file, frame.number)
        if events and (own != settings or len(events) == size):
            yield Block(index, _MAPPING, settings, tuple(events))
            events, index = [], index + 1
        settings = own
        events.append(Event(number, {series.stream: frame}))
    yield Block(index, _MAPPING, settings, tuple(events))


def _frame(event: Event) -> Any:
    streams: Mapping[str, Any] = event.streams
    return next(iter(streams.values()))


def _difference(file: PhotonListFile, entry: FrameEntry | None, result: EventResult) -> str:
    """Say how the file's frame differs from that of the raw file; empty: it does not."""
    frame = next(iter(result.frames), None)
    found = None if frame is None else frame.photons
    if frame is None:
        why = result.failed[0] if result.failed else "it is not there"
        return f"the raw frame cannot be read ({why}), so nothing is proven"
    status = _status(found)
    wanted = found.photons if found is not None and status is FrameStatus.SEARCHED else None
    gives = _says(status, 0 if wanted is None else len(wanted))
    if entry is None:
        return f"it is not in the file; the raw file gives {gives}"
    if entry.status is not status:
        return f"{_said(entry)}; the raw file gives {gives}"
    if entry.photons != entry.length:
        return f"its row says {entry.photons} photons, {entry.length} are there"
    if wanted is None:
        return "" if not entry.length else f"{_said(entry)}; the raw file gives {gives}"
    if entry.length != len(wanted):
        return f"{_said(entry)}; the raw file gives {gives}"
    return _first_difference(file.photons_of(entry), wanted)


def _first_difference(there: PhotonList, wanted: PhotonList) -> str:
    if (there.fit is None) != (wanted.fit is None):
        return "the file has other columns than its settings give"
    pairs = [(name, getattr(there, name), getattr(wanted, name)) for name in COLUMNS]
    if there.fit is not None and wanted.fit is not None:
        pairs += [(name, a, getattr(wanted.fit, name)) for name, a in vars(there.fit).items()]
    for name, a, b in pairs:
        if a.dtype != b.dtype:
            return f"{name} is of type {a.dtype}, expected {b.dtype}"
        # Bit for bit: 0.0 is not -0.0.
        same = a.view(f"V{a.itemsize}") == b.view(f"V{b.itemsize}")
        if not np.all(same):
            i = int(np.argmin(same))
            return f"photon {i} has {name} {a[i]}, the raw file gives {b[i]}"
    return ""


def _status(found: PhotonFrame | None) -> FrameStatus:
    if found is None or (not found.write and not found.skipped):
        return FrameStatus.NOT_SEARCHED
    return FrameStatus.TOO_DENSE if found.skipped else FrameStatus.SEARCHED


def _said(entry: FrameEntry) -> str:
    return f"the file has {_says(entry.status, max(entry.photons, entry.length))}"


def _says(status: FrameStatus, photons: int) -> str:
    if status is FrameStatus.SEARCHED:
        return f"{photons} photons"
    return f"“{status.name.lower().replace('_', ' ')}”"
