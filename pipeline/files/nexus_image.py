"""NeXus files of images: the exact numbers, what they are made of, and the curve."""

import importlib.metadata
import io
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from pipeline.diffraction.geometry import Geometry
from pipeline.diffraction.integration import AzimuthalCurve
from pipeline.files.atomic import new_file, resolve_path, save_text
from pipeline.model.parameters import PARAMETERS, Settings

_MAX_LABEL = 40


Ranges = tuple[tuple[int, int], ...]

_VERSIONS = ("femtotango", "dranspose", "numpy", "h5py")
_MAX_CHUNK = 1 << 20
"""Pixels of one compressed block."""


@dataclass(frozen=True)
class ImageRecord:
    """An image and all that is known about it, as it goes into a file."""

    image: NDArray[Any]
    """``(ny, nx)``, in the dtype in which it was summed."""
    good: NDArray[np.bool_] | None
    """Pixels that were good in at least one frame; None: all."""
    count: int
    """Number of frames in it."""
    unit: str
    """See `Unit`."""
    detector: str
    """Stream name."""
    pixel_size: tuple[float, float] | None
    """``(y, x)`` [m]."""
    frames: tuple[tuple[str, Ranges], ...]
    """Scans and the frame numbers that went in: ``(scan label, ((first, last), …))``."""
    settings: Settings
    """Those in force when the image was taken from the pipeline."""
    geometry: Geometry | None = None
    curve: AzimuthalCurve | None = None


def save_image(path: Path, record: ImageRecord, now: datetime | None = None) -> None:
    """Write an image as a NeXus file that any HDF5 reader opens.

    The image is the default plot, the integrated curve a second one. Masked pixels are NaN in
    images of floats; the mask itself is the detector's ``pixel_mask`` (1: no data). Compressed
    with gzip, so that no plug-in is needed.

    Args:
        path: where; it must not exist (`pipeline.files.atomic.resolve_path`).
        record: what.
        now: time of writing; None: the clock's.

    Raises:
        FileError: the file cannot be written, or exists already.
    """
    written = (now or datetime.now(UTC)).isoformat(timespec="seconds")
    # Built in memory: HDF5 may crash the process when a disk fills up while it writes.
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        file.attrs.update(
            NX_class="NXroot",
            default="entry",
            creator="femtotango",
            file_name=path.name,
            file_time=written,
            HDF5_Version=h5py.version.hdf5_version,
            h5py_version=h5py.version.version,
        )
        entry = _group(file, "entry", "NXentry", default="image")
        entry["title"] = f"{record.detector}: {record.count} frames [{record.unit}]"
        entry["end_time"] = written
        _write_image(entry, record)
        _write_curve(entry, record)
        _write_instrument(entry, record)
        _write_frames(entry, record)
        _write_settings(entry, record.settings)
        _write_program(entry, written)
    with new_file(path) as part:
        part.write_bytes(content.getbuffer())


def _group(parent: h5py.Group, name: str, nexus_class: str, **attributes: Any) -> h5py.Group:
    group = parent.create_group(name)
    group.attrs.update(NX_class=nexus_class, **attributes)
    return group


def _number(group: h5py.Group, name: str, value: Any, units: str = "") -> None:
    group[name] = value
    if units:
        group[name].attrs["units"] = units


def _compressed(group: h5py.Group, name: str, data: NDArray[Any]) -> h5py.Dataset:
    rows = max(1, min(data.shape[0], _MAX_CHUNK // max(1, data.shape[1])))
    # Level 1: higher ones take several times as long for some percent.
    dataset = group.create_dataset(
        name,
        shape=data.shape,
        dtype=data.dtype,
        chunks=(rows, data.shape[1]),
        compression="gzip",
        compression_opts=1,
        shuffle=True,
    )
    # A block at a time: h5py serves one thread, and photons must reach their file meanwhile.
    for first in range(0, data.shape[0], rows):
        dataset[first : first + rows] = data[first : first + rows]
        time.sleep(0.001)
    return dataset


def _write_image(entry: h5py.Group, record: ImageRecord) -> None:
    image = record.image
    if record.good is not None and image.dtype.kind == "f":
        image = np.where(record.good, image, image.dtype.type(np.nan))
    data = _group(entry, "image", "NXdata", signal="image", axes=["y", "x"])
    dataset = _compressed(data, "image", image)
    dataset.attrs.update(units=record.unit, interpretation="image", long_name=record.detector)
    for axis, length in zip("yx", image.shape, strict=True):
        _number(data, axis, np.arange(length), "pixel")
    data["title"] = f"{record.detector}: sum of {record.count} frames"


def _write_curve(entry: h5py.Group, record: ImageRecord) -> None:
    curve = record.curve
    if curve is None or not len(curve.q):
        return
    data = _group(entry, "azimuthal", "NXdata", signal="intensity", axes=["q"])
    _number(data, "q", curve.q, "1/angstrom")
    _number(data, "intensity", curve.intensity, record.unit)
    _number(data, "intensity_errors", curve.errors, record.unit)
    data["title"] = "azimuthal integration"


def _write_instrument(entry: h5py.Group, record: ImageRecord) -> None:
    instrument = _group(entry, "instrument", "NXinstrument")
    instrument["name"] = "FemtoMAX"
    detector = _group(instrument, "detector", "NXdetector")
    detector["local_name"] = record.detector
    detector["data"] = h5py.SoftLink(f"{entry.name}/image/image")
    if record.good is not None:
        _compressed(detector, "pixel_mask", (~record.good).astype(np.uint32))
    if record.pixel_size is not None:
        _number(detector, "y_pixel_size", record.pixel_size[0], "m")
        _number(detector, "x_pixel_size", record.pixel_size[1], "m")
    geometry = record.geometry
    if geometry is None:
        return
    _number(detector, "distance", geometry.distance, "m")
    _number(detector, "beam_center_x", geometry.beam_x, "pixel")
    _number(detector, "beam_center_y", geometry.beam_y, "pixel")
    beam = _group(instrument, "beam", "NXbeam")
    _number(beam, "incident_energy", geometry.photon_energy, "keV")
    _number(beam, "incident_wavelength", geometry.wavelength * 1e10, "angstrom")
    poni = _group(entry, "poni", "NXnote")
    poni["type"] = "text/plain"
    poni["description"] = "pyFAI's PONI file of this geometry"
    poni["data"] = geometry.to_poni()


def _write_frames(entry: h5py.Group, record: ImageRecord) -> None:
    frames = _group(entry, "frames", "NXcollection")
    frames["count"] = record.count
    rows = [(label, *ends) for label, ranges in record.frames for ends in ranges]
    frames.create_dataset("scan", data=[row[0] for row in rows], dtype=h5py.string_dtype())
    frames["first"] = np.array([row[1] for row in rows], dtype=np.int64)
    frames["last"] = np.array([row[2] for row in rows], dtype=np.int64)


def _write_settings(entry: h5py.Group, settings: Settings) -> None:
    group = _group(entry, "settings", "NXcollection")
    for name, value in settings.values().items():
        _number(group, name, value, PARAMETERS[name].unit)


def _write_program(entry: h5py.Group, written: str) -> None:
    process = _group(entry, "process", "NXprocess")
    process["program"] = "femtotango"
    process["date"] = written
    for name in _VERSIONS:
        version = importlib.metadata.version(name)
        process["version" if name == "femtotango" else f"{name}_version"] = version


def save_sum(folder: str, ended: ImageRecord, now: datetime | None = None) -> Path:
    """Write an ended sum, and the PONI file beside it when the geometry is set.

    The name says detector, time and scans: ``pilatus_20260131-120000_scan17-19.h5``. When there
    is a file of that name, a number is appended.

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
    path = _free_path(folder, stem)
    save_image(path, ended, when)
    if ended.geometry is not None:
        save_text(path.with_suffix(".poni"), ended.geometry.to_poni())
    return path


def _scan_label(ended: ImageRecord) -> str:
    labels = list(dict.fromkeys(label for label, _ in ended.frames)) or ["none"]
    text = labels[0] if len(labels) == 1 else f"{labels[0]}-{labels[-1]}"
    return "scan" + re.sub(r"[^A-Za-z0-9.-]+", "_", text)[:_MAX_LABEL]


def _free_path(folder: str, stem: str) -> Path:
    path = Path(folder).absolute() / f"{stem}.h5"
    number = 1
    while path.exists() or path.with_suffix(".poni").exists():
        number += 1
        path = path.with_name(f"{stem}_{number}.h5")
    return resolve_path(str(path), folder)
