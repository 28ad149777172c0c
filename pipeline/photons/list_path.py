"""Where the photon file of a raw file belongs, and how it comes to stand there."""

import uuid
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from pipeline.files.atomic import place

RAW = "raw"
PROCESS = "process"
SUFFIX = "_xye"
_HDF5_SUFFIXES = (".h5", ".hdf5", ".hdf", ".nxs")
_MAX_NUMBER = 9999


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


def numbered(path: Path, number: int) -> Path:
    """Return the path with a number before its suffix; 0 gives the path itself."""
    return path if number == 0 else path.with_name(f"{path.stem}_{number}{path.suffix}")


def put_in_place(path: Path, make: Callable[[Path], None]) -> Path:
    """Make a file under a free name, whole from the moment that it can be seen.

    It is made under a hidden name and then linked, which fails where a file stands already: so
    nothing is overwritten, also when two processes do this at once, and nobody finds half a file.

    Args:
        path: wanted path; a number is appended when it is taken.
        make: makes the file at the path that it is given.

    Returns:
        Where the file stands.

    Raises:
        OSError: the file or its folder cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    hidden = path.with_name(f".{uuid.uuid4().hex}.part")
    try:
        make(hidden)
        for number in range(_MAX_NUMBER + 1):
            target = numbered(path, number)
            try:
                place(hidden, target)
            except FileExistsError:
                continue
            return target
        raise FileExistsError(f"{path} and {_MAX_NUMBER} numbered ones exist already")
    finally:
        hidden.unlink(missing_ok=True)
