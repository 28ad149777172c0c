"""NeXus files of images: the exact numbers, what they are made of, and the curve."""

import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from pipeline.diffraction.azimuthal_curve import AzimuthalCurve
from pipeline.diffraction.geometry import Geometry
from pipeline.files.atomic import Write, write_new, write_numbered
from pipeline.files.nexus import add_data, add_entry, add_group, add_image, add_process
from pipeline.model.correction_files import parse_corrections
from pipeline.model.frame_ranges import FrameRanges
from pipeline.model.ledger import ledger
from pipeline.model.parameters import PARAMETERS, Settings

_MAX_LABEL = 40


@dataclass(frozen=True)
class ImageRecord:
    """An image and all that is known about it, as it goes into a file."""

    image: NDArray[Any]
    """``(ny, nx)``, in the dtype in which it was summed."""
    valid: NDArray[np.bool_] | None
    """Pixels that were valid in at least one frame; None: all."""
    count: int
    """Number of frames in it."""
    unit: str
    """See `Unit`."""
    detector: str
    """Stream name."""
    pixel_size: tuple[float, float] | None
    """``(y, x)`` [m]."""
    frames: tuple[tuple[str, FrameRanges], ...]
    """Labels of the scans, each with its frames that went in."""
    settings: Settings
    """Those in force when the image was taken from the pipeline."""
    geometry: Geometry | None = None
    curve: AzimuthalCurve | None = None
    corrections: Mapping[str, int] = field(default_factory=dict)
    """How many frames had which dark level and mask, as JSON, the newest last."""
    frames_seen: NDArray[np.uint32] | None = None
    """``(ny, nx)`` how many frames saw each pixel; None: all saw every valid one."""


def save_image(
    path: Path,
    record: ImageRecord,
    now: datetime | None = None,
    add: Callable[[h5py.Group], None] | None = None,
) -> None:
    """Write an image as a NeXus file that any HDF5 reader opens.

    The image is the default plot, the integrated curve a second one. Masked pixels are NaN in
    images of floats; the mask itself is the detector's ``pixel_mask`` (1: no data). Compressed
    with gzip, so that no plug-in is needed.

    Args:
        path: where; it must not exist (`pipeline.files.atomic.resolve_path`).
        record: what.
        now: time of writing; None: the clock's.
        add: puts more into the file's entry.

    Raises:
        FileError: the file cannot be written, or exists already.
    """
    content = _content(record, now or datetime.now(UTC), add, file_name=path.name)
    write_new(path, lambda part: part.write_bytes(content))


def _content(
    record: ImageRecord,
    now: datetime,
    add: Callable[[h5py.Group], None] | None = None,
    **attributes: str,
) -> memoryview:
    written = now.isoformat(timespec="seconds")
    # Built in memory: HDF5 may crash the process when a disk fills up while it writes.
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        entry = add_entry(
            file,
            default="image",
            file_time=written,
            HDF5_Version=h5py.version.hdf5_version,
            h5py_version=h5py.version.version,
            **attributes,
        )
        add_data(entry, "title", f"{record.detector}: {record.count} frames [{record.unit}]")
        add_data(entry, "end_time", written)
        _write_image(entry, record)
        _write_curve(entry, record)
        _write_instrument(entry, record)
        _write_frames(entry, record)
        _write_settings(entry, record.settings)
        add_process(entry, written)
        if add is not None:
            add(entry)
    return content.getbuffer()


def _write_image(entry: h5py.Group, record: ImageRecord) -> None:
    image = record.image
    if record.valid is not None and image.dtype.kind == "f":
        image = np.where(record.valid, image, image.dtype.type(np.nan))
    data = add_group(entry, "image", "NXdata", signal="image", axes=["y", "x"])
    add_image(data, "image", image, record.unit, interpretation="image", long_name=record.detector)
    for axis, length in zip("yx", image.shape, strict=True):
        add_data(data, axis, np.arange(length), "pixel")
    add_data(data, "title", f"{record.detector}: sum of {record.count} frames")


def _write_curve(entry: h5py.Group, record: ImageRecord) -> None:
    curve = record.curve
    if curve is None or not len(curve.q):
        return
    data = add_group(entry, "azimuthal", "NXdata", signal="intensity", axes=["q"])
    add_data(data, "q", curve.q, "1/angstrom")
    add_data(data, "intensity", curve.intensity, record.unit)
    add_data(data, "intensity_errors", curve.errors, record.unit)
    add_data(data, "title", "azimuthal integration")


def _write_instrument(entry: h5py.Group, record: ImageRecord) -> None:
    instrument = add_group(entry, "instrument", "NXinstrument")
    add_data(instrument, "name", "FemtoMAX")
    detector = add_group(instrument, "detector", "NXdetector")
    add_data(detector, "local_name", record.detector)
    detector["data"] = h5py.SoftLink(f"{entry.name}/image/image")
    if record.valid is not None:
        add_image(detector, "pixel_mask", (~record.valid).astype(np.uint32))
    if record.frames_seen is not None:
        add_image(detector, "pixel_frames", record.frames_seen, meaning="frames that saw it")
    _write_corrections(detector, record)
    if record.pixel_size is not None:
        add_data(detector, "y_pixel_size", record.pixel_size[0], "m")
        add_data(detector, "x_pixel_size", record.pixel_size[1], "m")
    geometry = record.geometry
    if geometry is None:
        return
    add_data(detector, "distance", geometry.distance, "m")
    add_data(detector, "beam_center_x", geometry.beam_x, "pixel")
    add_data(detector, "beam_center_y", geometry.beam_y, "pixel")
    beam = add_group(instrument, "beam", "NXbeam")
    add_data(beam, "incident_energy", geometry.photon_energy, "keV")
    add_data(beam, "incident_wavelength", geometry.wavelength * 1e10, "angstrom")
    poni = add_group(entry, "poni", "NXnote")
    add_data(poni, "type", "text/plain")
    add_data(poni, "description", "pyFAI's PONI file of this geometry")
    add_data(poni, "data", geometry.to_poni())


def _write_corrections(detector: h5py.Group, record: ImageRecord) -> None:
    """Name the files of dark level and mask that the newest frame was taken with."""
    used = parse_corrections(list(record.corrections)[-1] if record.corrections else "")
    if used.dark is not None:
        add_data(detector, "dark_file", used.dark.path, sha256=used.dark.digest)
    if used.mask is not None:
        add_data(detector, "mask_file", used.mask.path, sha256=used.mask.digest)
    if used.mask_noise:
        add_data(detector, "mask_noise", used.mask_noise)


def _write_frames(entry: h5py.Group, record: ImageRecord) -> None:
    frames = add_group(entry, "frames", "NXcollection")
    add_data(frames, "count", record.count)
    add_data(
        frames,
        "ledger",
        ledger(
            record.detector,
            record.unit,
            record.count,
            record.frames,
            record.settings,
            record.corrections,
        ),
    )
    rows = [(label, *ends) for label, ranges in record.frames for ends in ranges.as_tuple()]
    frames.create_dataset("scan", data=[row[0] for row in rows], dtype=h5py.string_dtype())
    add_data(frames, "first", np.array([row[1] for row in rows], dtype=np.uint64))
    add_data(frames, "last", np.array([row[2] for row in rows], dtype=np.uint64))


def _write_settings(entry: h5py.Group, settings: Settings) -> None:
    group = add_group(entry, "settings", "NXcollection")
    for name, value in settings.values().items():
        add_data(group, name, value, PARAMETERS[name].unit)


def save_sum(folder: str, ended: ImageRecord, now: datetime | None = None) -> Path:
    """Write an ended sum, and the PONI file beside it when the geometry is set.

    The name says detector, time and scans: ``pilatus_20260131-120000_scan17-19.h5``, or ``run3`` of
    a run without Sardana. When there is a file of that name, a number is appended.

    Args:
        folder: where; it must exist.
        ended: the sum.
        now: when the sum ended; None: now.

    Returns:
        Path of the NeXus file.

    Raises:
        FileError: a file cannot be written; the text says why and what to do.
    """
    when = (now or datetime.now()).astimezone()
    stem = f"{ended.detector}_{when:%Y%m%d-%H%M%S}_{_scan_label(ended)}"
    path = Path(folder).absolute() / f"{stem}.h5"
    beside: dict[str, Write] = {}
    if ended.geometry is not None:
        poni = ended.geometry.to_poni()
        beside[".poni"] = lambda part: part.write_text(poni, encoding="utf8")
    content = _content(ended, when)
    return write_numbered(path, lambda part: part.write_bytes(content), beside)


def _scan_label(ended: ImageRecord) -> str:
    labels = list(dict.fromkeys(label for label, _ in ended.frames)) or ["none"]
    text = labels[0] if len(labels) == 1 else f"{labels[0]}-{labels[-1]}"
    text = re.sub(r"[^A-Za-z0-9.-]+", "_", text)[:_MAX_LABEL].rstrip("_")
    return text if text.startswith("run") else f"scan{text}"
