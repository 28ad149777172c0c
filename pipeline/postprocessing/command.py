"""All that `femtotango process` does, but for what it prints."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.model.cameras import ranked
from pipeline.model.parameters import Settings
from pipeline.postprocessing.errors import BadSettings
from pipeline.postprocessing.matched_run import MatchedOptions, with_method
from pipeline.postprocessing.raw_file import read_series
from pipeline.postprocessing.recordings import is_recording, read_recordings
from pipeline.postprocessing.scan_file import read_scan
from pipeline.postprocessing.settings_source import read_settings, with_corrections, with_poni
from pipeline.postprocessing.source import RawSource, Source


@dataclass(frozen=True)
class Request:
    """What the user asks for."""

    raw: Sequence[Path]
    camera: str = ""
    dataset: str = ""
    settings: str = ""
    poni: Path | None = None
    scan: str = ""
    output: Path | None = None
    jobs: int = 0
    """Processes; 0: one for each core."""
    resume: bool = False
    plot: bool = False
    eta: bool = False
    """Positions are corrected within their pixels."""
    photons: MatchedOptions = field(default_factory=MatchedOptions)
    dark: Path | None = None
    """Dark level of the camera."""
    mask: str = ""
    """Its bad pixels; empty: none are given."""


def processes(jobs: int) -> int:
    """Return the number of processes; for 0, one for each core.

    Raises:
        BadSettings: it is negative.
    """
    if jobs < 0:
        raise BadSettings(f"--jobs {jobs}: give 1 or more.")
    return jobs or len(os.sched_getaffinity(0))


def sources(request: Request) -> list[Source]:
    """Return the series that are to be processed, in order.

    Raises:
        ProcessingError: a file or an option cannot be used.
    """
    scan = read_scan(request.scan) if request.scan else None
    recordings = [path for path in request.raw if is_recording(path)]
    if recordings and (scan is not None or request.dataset):
        raise BadSettings(
            "Recordings have their records and streams in them: leave --scan and --dataset out."
        )
    found: list[Source] = []
    for path in request.raw:
        if path not in recordings:
            series = read_series(path, request.camera, request.dataset)
            found += [RawSource(one, scan) for one in series]
    if recordings:
        found += read_recordings(recordings, request.camera)
    return found


def settings_of(request: Request, sources: Sequence[Source]) -> Iterator[Settings]:
    """Give the settings for each series.

    Raises:
        BadSettings: they cannot be used.
    """
    settings = read_settings(request.settings) if request.settings else Settings()
    streams = ranked({source.stream for source in sources})
    owner = next(iter(streams), "")
    if request.poni is not None or (len(streams) > 1 and not settings.geometry_camera):
        # As live: a geometry is that of the first camera, where nobody says whose it is.
        settings = settings.replaced("geometry_camera", owner)
    for source in sources:
        own = with_method(settings, request.photons, source)
        if request.poni is not None and source.stream == owner:
            own = with_poni(own, request.poni, source.stream, source.shape)
        own = with_corrections(own, request.dark, request.mask, source.stream, source.shape)
        yield own


def hint(settings: Settings, stream: str) -> str:
    """Say what the user may have forgotten; empty: nothing."""
    if stream in settings.photon_streams and settings.photon_region is None:
        return (
            "No photon ROI is set: frames are summed and no photons are searched. To find them: "
            """--settings '{"photon_roi": {"x": 0, "y": 0, "width": 4128, "height": 4104}}'"""
        )
    return ""
