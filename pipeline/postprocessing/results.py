"""The results of a series as a NeXus file: sum, azimuthal curve, ROI curves, photon statistics."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from pipeline.diffraction.azimuthal_curve import AzimuthalCurve
from pipeline.diffraction.geometry import Geometry, from_settings
from pipeline.files.atomic import FileError
from pipeline.files.nexus import add_data, add_group
from pipeline.files.nexus_image import ImageRecord, save_image
from pipeline.model.cameras import CAMERAS
from pipeline.model.frame_ranges import FrameRanges
from pipeline.model.parameters import Settings
from pipeline.model.roi_statistics import STATISTICS, UNITS
from pipeline.postprocessing.errors import BadOutput
from pipeline.protocols.snapshot import Published, RoiStatistic

_STEP_PARTS = ("x", "y", "y_errors", "n", "left_out")
"""What there is of one statistic of a ROI per motor step."""


@dataclass(frozen=True)
class Results:
    """All that a series gave, beside its photon list."""

    published: Published
    """As live."""
    settings: Settings
    stream: str
    shape: tuple[int, int]
    """``(ny, nx)`` of a frame [pixel]; of an image without frames."""
    raw: str
    frame_numbers: NDArray[np.float64]
    """``(frame,)`` of the ROI curves."""


def write_results(path: Path, results: Results) -> None:
    """Write the results; the file appears whole.

    Args:
        path: of the file; nothing must stand there.
        results: what.

    Raises:
        BadOutput: it cannot be written.
    """
    try:
        save_image(path, image_record(results), add=lambda entry: _add(entry, results))
    except FileError as error:
        raise BadOutput(f"{error} Make room or fix it, then go on with --resume.") from error


def image_record(results: Results) -> ImageRecord:
    """Return the sum, exactly as it was summed, with its curve."""
    published, shown = results.published, results.published.shown
    image: NDArray[Any] = np.zeros(results.shape, np.int64)
    valid = None
    if shown.image is not None and shown.sum_dtype is not None:
        floats = np.asarray(shown.image)
        masked = np.isnan(floats)
        valid = ~masked if masked.any() else None
        image = np.where(masked, 0, floats).astype(np.dtype(shown.sum_dtype))
    camera = CAMERAS[results.stream]
    curve = published.azimuthal
    scans = json.loads(shown.sum_frames or "{}")
    return ImageRecord(
        image=image,
        valid=valid,
        count=shown.accumulated_number,
        unit=shown.image_unit or camera.unit,
        detector=results.stream,
        pixel_size=camera.pixel_size,
        frames=tuple((scan, FrameRanges(ranges)) for scan, ranges in scans.items()),
        settings=results.settings,
        geometry=_geometry(results, image.shape),
        curve=AzimuthalCurve(curve.q, curve.intensity, curve.intensity_errors),
        corrections=json.loads(shown.sum_corrections or "{}"),
        frames_seen=None if shown.frames_seen is None else np.asarray(shown.frames_seen),
    )


def _geometry(results: Results, shape: tuple[int, ...]) -> Geometry | None:
    """Return where the camera stands; None: it is not known, or is that of another camera."""
    if results.settings.geometry_camera not in ("", results.stream):
        return None
    pixel_size = CAMERAS[results.stream].pixel_size
    return from_settings(results.settings, pixel_size, (shape[0], shape[1]))


def _add(entry: h5py.Group, results: Results) -> None:
    published = results.published
    add_data(entry, "raw_file", results.raw)
    _add_curves(entry, results)
    _add_steps(entry, published)
    _add_statistics(entry, results)
    if published.photons.count is not None:
        photons = add_group(entry, "photons", "NXcollection")
        add_data(photons, "count", published.photons.count)
        add_data(photons, "skipped_frames", published.photons.skipped_frames or 0)
        add_data(photons, "pileup_fraction", published.photons.pileup_fraction)
        add_data(photons, "file", published.photons.filename or "")
        histogram = published.energy_histogram
        data = add_group(entry, "energy_histogram", "NXdata", signal="counts", axes=["energy"])
        label = "3x3 sum [ADU]" if results.settings.matched is None else "fitted energy [ADU]"
        add_data(data, "energy", histogram.energy, "ADU", long_name=label)
        add_data(data, "counts", histogram.counts, long_name="photons")
    scan = add_group(entry, "scan", "NXcollection")
    add_data(scan, "title", published.scan.title)
    add_data(scan, "number", published.scan.number)
    add_data(scan, "frames", published.scan.frames)
    add_data(scan, "failed_frames", published.health.failed_frames)
    for name, positions in (published.scan.movables or {}).items():
        add_data(scan, _safe(name), positions)


def _add_curves(entry: h5py.Group, results: Results) -> None:
    means = results.published.roi_means or {}
    for name, curve in means.items():
        group = _collection(entry, "roi_means")
        data = add_group(group, _safe(name), "NXdata", signal="mean", axes=["frame"])
        add_data(data, "mean", np.asarray(curve), long_name=f"mean of {name}")
        add_data(data, "frame", results.frame_numbers, long_name="frame number")


def _add_steps(entry: h5py.Group, published: Published) -> None:
    for name, steps in (published.step_means or {}).items():
        group = _collection(entry, "step_means")
        data = add_group(group, _safe(name), "NXdata", signal="y", axes=["x"])
        add_data(data, "x", np.asarray(steps.x), long_name=steps.x_label)
        add_data(data, "y", np.asarray(steps.y), long_name=steps.y_label)
        add_data(data, "y_errors", np.asarray(steps.y_errors))
        add_data(data, "n", np.asarray(steps.n))


def _add_statistics(entry: h5py.Group, results: Results) -> None:
    """Add each statistic of each ROI: per frame all in one table, per step each with its errors."""
    for name, statistics in (results.published.roi_stats or {}).items():
        table = {one: np.asarray(getattr(statistics, one).frames) for one in STATISTICS}
        rest = list(STATISTICS[1:])
        group = _collection(entry, "roi_stats")
        data = add_group(
            group, _safe(name), "NXdata", signal="mean", auxiliary_signals=rest, axes=["frame"]
        )
        for one, values in table.items():
            add_data(data, one, values, UNITS.get(one, ""), long_name=f"{one} of {name}")
        add_data(data, "frame", results.frame_numbers, long_name="frame number")
        for one in STATISTICS:
            steps: RoiStatistic = getattr(statistics, one)
            if steps.y is not None:
                group = _collection(_collection(entry, "step_stats"), _safe(name))
                data = add_group(group, one, "NXdata", signal="y", axes=["x"])
                for part in _STEP_PARTS:
                    add_data(data, part, np.asarray(getattr(steps, part)))
                data["y"].attrs["long_name"] = f"{one} of {name}"


def _collection(group: h5py.Group, name: str) -> h5py.Group:
    found = group.require_group(name)
    found.attrs["NX_class"] = "NXcollection"
    return found


def _safe(name: str) -> str:
    return name.replace("/", "_")
