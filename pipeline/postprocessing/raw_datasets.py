"""Which datasets of a raw HDF5 file hold frames, and of which camera."""

from typing import Any

import h5py

from pipeline.postprocessing.errors import BadRawFile

_INSTRUMENT, _EIGER = "/entry/instrument", "/entry/data"

Groups = dict[str, tuple[str, list[h5py.Dataset]]]
"""By camera: path of its group, and the datasets with its frames."""


def named_frames(file: h5py.File, path: str) -> Groups:
    """Return the frames that the user has named.

    Raises:
        BadRawFile: there are none at this path.
    """
    found = _get(file, path)
    place = path.rstrip("/").rpartition("/")[0] or "/"
    name = place.rpartition("/")[2]
    if isinstance(found, h5py.Group):
        place, name = path, path.rstrip("/").rpartition("/")[2]
        datasets = _frames_in(file, path)
    else:
        datasets = [found]
    stacks = [dataset for dataset in datasets if _is_stack(dataset)]
    if not stacks:
        raise BadRawFile(f"{file.filename}: {path} holds no frames of shape (frame, y, x).")
    return {name: (place, stacks)}


def usual_frames(file: h5py.File) -> Groups:
    """Return the frames where receivers put them.

    Raises:
        BadRawFile: there are none.
    """
    groups: Groups = {}
    for name in _names(file, _INSTRUMENT):
        place = f"{_INSTRUMENT}/{name}"
        if "data" in _names(file, place):
            data = _get(file, f"{place}/data")
            if _is_stack(data):
                groups[name] = place, [data]
    if not groups:
        datasets = [dataset for dataset in _frames_in(file, _EIGER) if _is_stack(dataset)]
        if datasets:
            groups["data"] = _EIGER, datasets
    if not groups:
        raise BadRawFile(
            f"{file.filename}: there are no frames at {_INSTRUMENT}/<camera>/data or "
            f"{_EIGER}/data_…: say where they are with --dataset."
        )
    return groups


def _frames_in(file: h5py.File, place: str) -> list[h5py.Dataset]:
    names = _names(file, place)
    chosen = ["data"] if "data" in names else sorted(n for n in names if n.startswith("data_"))
    found = [_get(file, f"{place}/{name}") for name in chosen]
    return [dataset for dataset in found if isinstance(dataset, h5py.Dataset)]


def _names(file: h5py.File, place: str) -> list[str]:
    group = file.get(place)
    return list(group) if isinstance(group, h5py.Group) else []


def _get(file: h5py.File, path: str) -> Any:
    link = None
    try:
        link = file.get(path, getlink=True)
        return file[path]
    except (KeyError, OSError) as error:
        if isinstance(link, h5py.ExternalLink):
            raise BadRawFile(
                f"{file.filename}: {path} is in {link.filename}, which cannot be read ({error}): "
                "copy that file to its place, beside the master file."
            ) from error
        raise BadRawFile(f"{file.filename} has no {path}.") from error


def _is_stack(item: Any) -> bool:
    return isinstance(item, h5py.Dataset) and item.ndim == 3 and item.dtype.kind in "iuf"
