"""Everything that a photon file will ever have, made before it can be seen."""

import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from pipeline.files.atomic import Write
from pipeline.files.hdf5_append import OLDEST_FORMAT
from pipeline.files.nexus import add_column, add_data, add_entry, add_group, add_process, now_text
from pipeline.model.parameters import PARAMETERS, Settings
from pipeline.photons.list_columns import CHANGES, FRAMES, photon_table
from pipeline.photons.list_resume import histogram_edges


def empty_file(
    folder: Path, raw: str, detector: str, settings: Settings, chunk: int = 16_384
) -> Write:
    """Return what makes a photon file without photons, which `PhotonFile` can continue.

    Args:
        folder: in which the file is to stand: the link to the raw file begins there.
        raw: absolute path of the raw file.
        detector: stream name of the camera.
        settings: in force at the start.
        chunk: rows that are allocated together.
    """

    def make(path: Path) -> None:
        relative = os.path.relpath(raw, folder)
        # Made in memory: HDF5 may end the process when a disk refuses what it writes.
        content = io.BytesIO()
        with h5py.File(content, "w", libver=OLDEST_FORMAT) as file:
            _fill(file, raw, relative, detector, settings, chunk)
        with path.open("xb") as made:
            made.write(content.getbuffer())

    return make


def _as_json(settings: Settings) -> str:
    return json.dumps(settings.values(), ensure_ascii=False)


def _fill(
    file: h5py.File, raw: str, relative: str, detector: str, settings: Settings, chunk: int
) -> None:
    """Make all that the file will ever have."""
    edges = histogram_edges(settings)
    entry = add_entry(file, default="energy_histogram" if len(edges) else "photons")
    add_data(entry, "title", f"Single photons of {Path(raw).name}")
    add_data(entry, "detector", detector)
    add_data(entry, "start_time", now_text())
    add_data(entry, "end_time", np.array(b"", "S32"))
    add_data(entry, "complete", 0)
    add_data(entry, "raw_file", raw)
    entry["raw"] = h5py.ExternalLink(relative, "/")
    region = settings.photon_region
    if region is not None:
        roi = np.array([region.x, region.y, region.width, region.height], np.int64)
        add_data(entry, "photon_roi", roi, "pixel", order="x, y, width, height")
    process = add_process(entry, now_text())
    units = {f"{name}_units": PARAMETERS[name].unit for name in PARAMETERS if PARAMETERS[name].unit}
    add_data(process, "parameters", _as_json(settings), **settings.values(), **units)
    _add_table(add_group(process, "changes", "NXcollection"), CHANGES, chunk)
    photons = add_group(entry, "photons", "NXdata", signal="energy", axes=["x", "y"])
    _add_table(photons, photon_table(settings), chunk)
    _add_table(add_group(entry, "frames", "NXcollection"), FRAMES, chunk)
    if len(edges):
        data = add_group(entry, "energy_histogram", "NXdata", signal="counts", axes=["energy"])
        label = "3x3 sum [ADU]" if settings.matched is None else "fitted energy [ADU]"
        add_data(data, "energy", (edges[:-1] + edges[1:]) / 2, "ADU", long_name=label)
        add_data(data, "counts", np.zeros(len(edges) - 1, np.int64), long_name="photons")


def _add_table(group: h5py.Group, table: Mapping[str, tuple[Any, str, str]], chunk: int) -> None:
    for name, (dtype, unit, meaning) in table.items():
        rows = max(1, chunk * 4 // np.dtype(dtype).itemsize)
        add_column(group, name, dtype, rows, unit, long_name=meaning)
