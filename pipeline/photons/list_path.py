"""Where the photon file of a raw file belongs."""

from pathlib import Path, PurePosixPath

RAW = "raw"
PROCESS = "process"
SUFFIX = "_xye"
_HDF5_SUFFIXES = (".h5", ".hdf5", ".hdf", ".nxs")


class PhotonFileError(Exception):
    """Photons cannot be written; the text says which file, why, and what to do."""


class PhotonFileGone(PhotonFileError):
    """The file was deleted or moved: nothing that was written to it can be relied on."""


def photon_path(raw: str) -> Path:
    """Return where the photons of a raw file are written.

    Args:
        raw: absolute path of the raw file, as the camera's header gives it.

    Returns:
        ``…/process/…/NAME_xye.h5`` for ``…/raw/…/NAME.h5``, the last folder named ``raw``; without
        such a folder ``process/NAME_xye.h5`` beside the raw file.

    Raises:
        PhotonFileError: the path is relative, holds ``..`` or a control character, or names no
            file.
    """
    if not all(character.isprintable() for character in raw):
        raise PhotonFileError(
            f"raw file {raw!r} has characters that cannot be printed: rename it; photons are not "
            "written."
        )
    path = PurePosixPath(raw)
    if not path.is_absolute():
        raise PhotonFileError(
            f"raw file {raw!r} is a relative path: the camera must send an absolute one; photons "
            "are not written."
        )
    if ".." in path.parts:
        raise PhotonFileError(
            f"raw file {raw!r} has '..' in it: the camera must send a plain path; photons are not "
            "written."
        )
    if raw.endswith("/") or not path.name:
        raise PhotonFileError(f"raw file {raw!r} is a folder: the camera must name a file.")
    folders = list(path.parent.parts)
    if RAW in folders:
        folders[len(folders) - 1 - folders[::-1].index(RAW)] = PROCESS
    else:
        folders.append(PROCESS)
    name = path.stem if path.suffix.lower() in _HDF5_SUFFIXES else path.name
    return Path(*folders) / f"{name}{SUFFIX}.h5"
