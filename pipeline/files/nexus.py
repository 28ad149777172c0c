"""NeXus in HDF5: groups with their class, datasets with their unit, and what wrote the file."""

import json
import time
from contextlib import suppress
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import h5py
from numpy.typing import NDArray

CREATOR = "femtotango"
_PROGRAMS = (CREATOR, "dranspose", "numpy", "numba", "h5py")
_MAX_CHUNK = 1 << 20
"""Pixels of one compressed block."""


def now_text() -> str:
    """Return the time as files have it: ISO 8601 with zone, to the second."""
    return datetime.now().astimezone().isoformat(timespec="seconds")


def versions() -> dict[str, str]:
    """Return the versions of the programs that make a file, as far as they are installed."""
    found: dict[str, str] = {}
    for program in _PROGRAMS:
        with suppress(PackageNotFoundError):
            found[program] = version(program)
    return found


def add_entry(file: h5py.File, default: str, **attributes: Any) -> h5py.Group:
    """Make a new file a NeXus file and return its one entry, ``/entry``.

    Args:
        file: without content yet.
        default: name of the group in the entry that is plotted.
        **attributes: further ones of the root.
    """
    file.attrs.update(NX_class="NXroot", default="entry", creator=CREATOR, **attributes)
    return add_group(file, "entry", "NXentry", default=default)


def add_group(parent: h5py.Group, name: str, nexus_class: str, **attributes: Any) -> h5py.Group:
    """Make a group.

    Args:
        parent: where.
        name: of the group.
        nexus_class: ``NXdata``, ….
        **attributes: further ones.
    """
    group = parent.create_group(name)
    group.attrs.update(NX_class=nexus_class, **attributes)
    return group


def add_data(
    group: h5py.Group, name: str, value: Any, units: str = "", **attributes: Any
) -> h5py.Dataset:
    """Make a dataset of a number, a text or an array.

    Args:
        group: where.
        name: of the dataset.
        value: its content.
        units: as NeXus spells them; empty: it has none.
        **attributes: further ones.
    """
    dataset = group.create_dataset(name, data=value)
    _describe(dataset, units, attributes)
    return dataset


def add_column(
    group: h5py.Group, name: str, dtype: Any, chunk: int, units: str = "", **attributes: Any
) -> h5py.Dataset:
    """Make an empty column that can grow.

    Args:
        group: where.
        name: of the dataset.
        dtype: of its rows.
        chunk: rows of one block.
        units: as NeXus spells them; empty: it has none.
        **attributes: further ones.
    """
    dataset = group.create_dataset(name, (0,), dtype, chunks=(chunk,), maxshape=(None,))
    _describe(dataset, units, attributes)
    return dataset


def add_image(
    group: h5py.Group, name: str, image: NDArray[Any], units: str = "", **attributes: Any
) -> h5py.Dataset:
    """Make a dataset of an image, compressed with gzip, so that readers need no plug-in.

    Args:
        group: where.
        name: of the dataset.
        image: ``(ny, nx)``.
        units: as NeXus spells them; empty: it has none.
        **attributes: further ones.
    """
    rows = max(1, min(image.shape[0], _MAX_CHUNK // max(1, image.shape[1])))
    # Level 1: higher ones take several times as long for some percent.
    dataset = group.create_dataset(
        name,
        shape=image.shape,
        dtype=image.dtype,
        chunks=(rows, image.shape[1]),
        compression="gzip",
        compression_opts=1,
        shuffle=True,
    )
    # A block at a time: h5py serves one thread, and photons must reach their file meanwhile.
    for first in range(0, image.shape[0], rows):
        dataset[first : first + rows] = image[first : first + rows]
        time.sleep(0.001)
    _describe(dataset, units, attributes)
    return dataset


def add_process(entry: h5py.Group, date: str) -> h5py.Group:
    """Make the group ``process``, which says what wrote the file, and return it.

    Args:
        entry: where.
        date: of writing, in ISO 8601.
    """
    process = add_group(entry, "process", "NXprocess")
    programs = versions()
    add_data(process, "program", CREATOR)
    add_data(process, "version", programs.get(CREATOR, "unknown"))
    add_data(process, "date", date)
    add_data(process, "versions", json.dumps(programs), **programs)
    return process


def _describe(dataset: h5py.Dataset, units: str, attributes: dict[str, Any]) -> None:
    if units:
        dataset.attrs["units"] = units
    dataset.attrs.update(attributes)
