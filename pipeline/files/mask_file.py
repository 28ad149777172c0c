"""Masks from files: what h5py and fabio read; what is not 0 is a bad pixel."""

from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from pipeline.files.atomic import FileError

INSIDE = "::"
"""Separates a file from the dataset in it, as silx and fabio write it."""


def split_path(path: str) -> tuple[str, str]:
    """Return the file and the dataset in it that a path names; no dataset: an empty text."""
    file, _, dataset = path.partition(INSIDE)
    return file, dataset


def read_mask(path: str | Path) -> NDArray[np.bool_]:
    """Read a mask.

    In an HDF5 file it is the dataset that the path names behind ``::``; else the only image whose
    name has ``mask`` in it, else the only image. A series of images must have one image.

    Args:
        path: of an HDF5 or NeXus file, or of any format that fabio knows (EDF, TIFF, npy, Fit2D's
            msk, …).

    Returns:
        ``(ny, nx)``, True where a pixel is bad: not 0, or no number.

    Raises:
        FileError: it cannot be read as a mask; the text says why.
    """
    file, dataset = split_path(str(path))
    if not Path(file).is_file():
        raise FileError(f"{file}: there is no such file.")
    try:
        values = _from_hdf5(file, dataset) if h5py.is_hdf5(file) else _from_image(file)
    except FileError:
        raise
    # fabio's formats raise whatever their authors chose.
    except Exception as error:
        raise FileError(
            f"{file}: cannot be read as a mask ({type(error).__name__}: {error}); give an image "
            "in HDF5, EDF, TIFF, npy or Fit2D's msk, not 0 where a pixel is bad."
        ) from error
    image = np.squeeze(values) if values.ndim > 2 else values
    if image.ndim != 2 or image.dtype.kind not in "biuf":
        raise FileError(
            f"{path}: {values.shape} of {values.dtype} is no mask; give one image of numbers."
        )
    # A NaN is not 0 either.
    return image != 0


def _from_hdf5(path: str, wanted: str) -> NDArray[np.generic]:
    with h5py.File(path, "r", locking=False) as file:
        images: dict[str, h5py.Dataset] = {}

        def look(name: str, item: object) -> None:
            if isinstance(item, h5py.Dataset) and item.ndim >= 2 and item.dtype.kind in "biuf":
                images[name] = item

        if wanted:
            found = file.get(wanted)
            if not isinstance(found, h5py.Dataset):
                raise FileError(f"{path}: there is no dataset {wanted!r}.")
            return np.asarray(found[()])
        file.visititems(look)
        masks = [name for name in images if "mask" in name.rpartition("/")[2].lower()]
        names = masks or list(images)
        if len(names) != 1:
            listed = ", ".join(sorted(names)[:6]) or "none"
            raise FileError(
                f"{path}: it is not clear which dataset is the mask ({listed}); name it as "
                f"FILE{INSIDE}DATASET."
            )
        return np.asarray(images[names[0]][()])


def _from_image(path: str) -> NDArray[np.generic]:
    # Half a second, which only those wait who load such a mask.
    import fabio

    with fabio.open(path) as image:
        if image.nframes != 1:
            raise FileError(f"{path}: {image.nframes} images; give a file with one mask.")
        return np.asarray(image.data)
