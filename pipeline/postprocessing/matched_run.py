"""The matched filter for one series: what the user asks for, and what the frames themselves say."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.files.atomic import FileError, write_numbered
from pipeline.model.cameras import CAMERAS
from pipeline.model.matched import MatchedSettings, format_matched
from pipeline.model.parameter import ParameterError
from pipeline.model.parameters import PARAMETERS, Settings
from pipeline.model.roi import Roi, format_photon_roi
from pipeline.photons.calibration import Calibration, CalibrationError, Calibrator
from pipeline.photons.calibration_file import calibration_content
from pipeline.photons.cloud_fit import cloud_of
from pipeline.photons.cloud_shape import DEFAULT_CLOUD
from pipeline.photons.detection import finding_settings
from pipeline.photons.list_columns import SETTINGS_BYTES
from pipeline.photons.matched import MatchedFilter
from pipeline.photons.matched_frame import calibration_for
from pipeline.postprocessing.errors import BadOutput, BadSettings
from pipeline.postprocessing.raw_frame import BadChunk, RawFrame
from pipeline.postprocessing.source import Source
from pipeline.protocols.stins import BadFrame, Message, StinsFrame, parse

SUMS, MATCHED = "sums", "matched"
"""Methods by which photons are searched."""
_CALIBRATION_FRAMES = 200
"""Of a series, for offset and noise; more do not make them much better."""
_SAMPLE_FRAMES = 20
"""Of a series, for the cloud and the range of energies."""
_RANGE = 1.5
"""The histogram goes to so many times the largest usual energy."""


@dataclass(frozen=True)
class MatchedOptions:
    """What the user says about how photons are searched; None: nothing."""

    method: str | None = None
    calibration: Path | None = None
    cloud: float | None = None
    false_per_frame: float | None = None


def with_method(settings: Settings, options: MatchedOptions, source: Source) -> Settings:
    """Return the settings with which photons of a series are searched.

    Thresholds of the sums of nine pixels that are at their defaults, which are those of the Balor,
    are set to let all photons of the filter through.

    Args:
        settings: of all series.
        options: by the user.
        source: the series.

    Raises:
        BadSettings: an option cannot be used.
    """
    given = [name for name in ("calibration", "cloud", "false_per_frame") if _given(options, name)]
    if options.method == SUMS:
        if given:
            raise BadSettings(f"{_option(given[0])} is of no use with --method {SUMS}: leave it.")
        return settings.replaced("matched_filter", "")
    if options.method is None and settings.matched is None:
        if given:
            raise BadSettings(f"{_option(given[0])} belongs to --method {MATCHED}: give that too.")
        return settings
    if CAMERAS[source.stream].photon_counting:
        return settings.replaced("matched_filter", "")
    matched = settings.matched or MatchedSettings(source.stream)
    if options.method == MATCHED:
        matched = replace(matched, camera=source.stream)
    matched = replace(matched, **{name: _value(options, name) for name in given})
    if matched.camera != source.stream:
        return settings
    if matched.calibration:
        matched = replace(matched, calibration=str(Path(matched.calibration).absolute()))
        _read(matched, source.shape)
    ny, nx = source.shape
    whole = format_photon_roi(Roi(0, 0, nx, ny))
    changes = {"energy_threshold": 0.0, "view_threshold": 0.0, "pileup_threshold": _never()}
    changes = {n: v for n, v in changes.items() if getattr(settings, n) == PARAMETERS[n].default}
    try:
        found = settings.replaced("matched_filter", format_matched(matched))
        found = found.replaced("photon_roi", found.photon_roi or whole)
        for name, value in changes.items():
            found = found.replaced(name, value)
    except ParameterError as error:
        raise BadSettings(str(error)) from error
    return found


def _given(options: MatchedOptions, name: str) -> bool:
    return getattr(options, name) is not None


def _value(options: MatchedOptions, name: str) -> str | float:
    value = getattr(options, name)
    return str(value) if isinstance(value, Path) else float(value)


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _never() -> float:
    limits = PARAMETERS["pileup_threshold"].limits
    assert limits is not None
    return limits[1]


def completed(
    settings: Settings, source: Source, folder: Path, say: Callable[[str], None]
) -> Settings:
    """Return settings in which nothing of the matched filter is left open.

    A calibration, the cloud and the range of the histogram come from the frames where they were not
    given.

    Args:
        settings: of the series.
        source: the series.
        folder: for the calibration.
        say: told what was found, in sentences.

    Raises:
        BadSettings: the frames are of no use for it.
        BadOutput: the calibration cannot be written.
    """
    matched = settings.matched
    if matched is None or matched.camera != source.stream or settings.photon_region is None:
        return settings
    if not matched.calibration:
        path = _calibrate(source, folder, say)
        matched = replace(matched, calibration=str(path))
    known = _read(matched, source.shape)
    if not matched.cloud:
        matched = replace(matched, cloud=_cloud(source, known, say))
    settings = settings.replaced("matched_filter", format_matched(matched))
    size = len(finding_settings(settings).encode())
    if size > SETTINGS_BYTES:
        raise BadSettings(
            f"the path {matched.calibration} is too long for the photon file, which has room for "
            f"{SETTINGS_BYTES} bytes of settings ({size} are needed): put the calibration "
            "elsewhere."
        )
    return _with_histogram(settings, matched, source, known)


def _read(matched: MatchedSettings, shape: tuple[int, int]) -> Calibration:
    """Read the calibration, and look whether the filter works with it.

    Raises:
        BadSettings: it does not.
    """
    try:
        known = calibration_for(matched.calibration, shape)
        MatchedFilter(known, matched.cloud or DEFAULT_CLOUD, matched.false_per_frame)
    except (FileError, CalibrationError, ValueError) as error:
        raise BadSettings(str(error)) from error
    return known


def _calibrate(source: Source, folder: Path, say: Callable[[str], None]) -> Path:
    calibrator = Calibrator()
    try:
        for image in _sample(source, _CALIBRATION_FRAMES):
            calibrator.add_frame(image)
        found = calibrator.result()
    except CalibrationError as error:
        raise BadSettings(
            f"{source.raw} gives no calibration of its own ({error}): give one with --calibration."
        ) from error
    try:
        wanted = folder / f"{source.name}_calibration.h5"
        path = write_numbered(wanted, calibration_content(found, [source.raw]))
    except FileError as error:
        raise BadOutput(f"{error} Make room, or give another --output.") from error
    say(
        f"No --calibration is given: offset and noise of each pixel are those of {found.frames} "
        f"frames of the file itself (noise {found.median_noise:.2f} ADU), {path}"
    )
    return path


def _cloud(source: Source, known: Calibration, say: Callable[[str], None]) -> float:
    found = cloud_of(list(_sample(source, _SAMPLE_FRAMES)), known)
    if found is None:
        say(
            f"Too few strong photons to see their cloud: it is taken as σ {DEFAULT_CLOUD} px. "
            "Give it with --cloud where it is known."
        )
        return DEFAULT_CLOUD
    say(f"The cloud of a photon has σ {found:.3f} px.")
    return round(found, 4)


def _with_histogram(
    settings: Settings, matched: MatchedSettings, source: Source, known: Calibration
) -> Settings:
    """Return settings whose histogram shows these photons, unless the user has chosen its range."""
    names = ("histogram_min", "histogram_max", "histogram_bins")
    if any(getattr(settings, name) != PARAMETERS[name].default for name in names):
        return settings
    found_by = MatchedFilter(known, matched.cloud, matched.false_per_frame)
    found = [found_by.find(image).energy for image in _sample(source, _SAMPLE_FRAMES)]
    energies = np.concatenate([np.empty(0, np.float32), *found])
    if not len(energies):
        return settings
    top = _RANGE * float(np.percentile(energies, 95))
    step = 10.0 ** np.floor(np.log10(top))
    return settings.replaced("histogram_max", float(np.ceil(top / step) * step))


def _sample(source: Source, most: int) -> Iterator[NDArray]:
    """Give some frames of a series, from its start to its end; those that are damaged are left out.

    Args:
        source: the series.
        most: about so many.
    """
    step = max(1, source.events // most)
    number = 0
    for block in source.blocks("", Settings()):
        for event in block.events:
            content = event.streams.get(source.stream)
            if content is None:
                continue
            number += 1
            if number % step == 0:
                yield from _image(content)


def _image(content: RawFrame | Message) -> Iterator[NDArray]:
    # Which frames are damaged, the run itself says.
    with contextlib.suppress(BadChunk, BadFrame):
        if isinstance(content, RawFrame):
            yield content.image()
        elif isinstance(message := parse(content), StinsFrame):
            yield message.image
