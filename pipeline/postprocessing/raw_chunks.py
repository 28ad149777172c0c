"""Where in a raw HDF5 file the bytes of each frame stand, and how they are packed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py

from pipeline.postprocessing.errors import BadRawFile
from pipeline.postprocessing.raw_frame import Layout, Piece, RawFrame
from pipeline.postprocessing.raw_open import absolute

_BITSHUFFLE, _LZ4 = 32008, 2
_FILTERS = {
    1: "gzip",
    32000: "lzf",
    32001: "blosc",
    32004: "lz4",
    32008: "bitshuffle",
    32015: "zstd",
    32026: "blosc2",
}


def stored_frames(dataset: h5py.Dataset, path: str) -> Iterator[RawFrame]:
    """Give the frames of a dataset, with the places of their bytes.

    Args:
        dataset: ``(frame, y, x)``.
        path: of the file with the frames; empty: the one that holds the dataset.

    Raises:
        BadRawFile: a filter is not installed, or a file with frames is not there.
    """
    count = dataset.shape[0]
    layout = _layout(dataset, path or str(absolute(_file_name(dataset))))
    pieces: dict[int, list[Piece]] = {}
    if not layout.by_hdf5:
        if dataset.chunks is None:
            offset = dataset.id.get_offset()
            size = layout.frame_bytes
            if offset is not None:
                pieces = {i: [Piece(0, 0, offset + i * size, size, False)] for i in range(count)}
        else:

            def note(info: Any) -> None:
                frame, y, x = info.chunk_offset
                packed = layout.packed and not info.filter_mask & 1
                piece = Piece(y, x, info.byte_offset, info.size, packed)
                pieces.setdefault(frame, []).append(piece)

            dataset.id.chunk_iter(note)
    for index in range(count):
        yield RawFrame(layout, index, index, tuple(pieces.get(index, ())))


def _layout(dataset: h5py.Dataset, path: str) -> Layout:
    plan = dataset.id.get_create_plist()
    filters = [plan.get_filter(i) for i in range(plan.get_nfilters())]
    for code, _, _, name in filters:
        if not h5py.h5z.filter_avail(code):
            named = name.decode(errors="replace") or _FILTERS.get(code, "")
            raise BadRawFile(
                f"{path}: the frames are compressed with filter {code} ({named}), which is not "
                "installed here: install its HDF5 plug-in and set HDF5_PLUGIN_PATH."
            )
    if dataset.is_virtual:
        _check_sources(dataset, path)
    shape = dataset.shape[1], dataset.shape[2]
    codes = [code for code, *_ in filters]
    values = filters[0][2] if filters else ()
    packed = codes == [_BITSHUFFLE] and len(values) > 4 and values[3:5] == (0, _LZ4)
    single = dataset.chunks is not None and dataset.chunks[0] == 1
    whole = plan.get_layout() == h5py.h5d.CONTIGUOUS and not plan.get_external_count()
    moved = dataset.file.userblock_size > 0
    simple = (single and (packed or not codes)) or whole
    chunk = dataset.chunks[1:] if dataset.chunks is not None else shape
    return Layout(
        path=path,
        dataset=str(dataset.name),
        shape=shape,
        dtype=dataset.dtype.str,
        chunk=(chunk[0], chunk[1]),
        packed=packed,
        by_hdf5=moved or not simple,
    )


def _check_sources(dataset: h5py.Dataset, path: str) -> None:
    """Refuse a virtual dataset of which a file is missing: HDF5 would read zeros in its place."""
    for source in dataset.virtual_sources():
        name = Path(path).parent / source.file_name
        if source.file_name != "." and "%" not in source.file_name and not name.exists():
            raise BadRawFile(
                f"{path}: {dataset.name} has frames in {name}, which is not there: copy that file "
                "to its place."
            )


def _file_name(dataset: h5py.Dataset) -> str:
    name = dataset.file.filename
    return name.decode() if isinstance(name, bytes) else str(name)
