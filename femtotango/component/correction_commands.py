"""What the commands on dark levels and masks request, given a view; knows nothing of Tango."""

import time
from collections.abc import Mapping

from femtotango.component.state import View
from femtotango.errors import BadPath, BadRequest
from pipeline.files.atomic import FileError, existing_path
from pipeline.files.mask_file import INSIDE, read_mask, split_path
from pipeline.model.cameras import CAMERAS
from pipeline.model.correction_files import (
    CorrectionFile,
    digest_of,
    format_files,
    parse_files,
)
from pipeline.model.dark_request import FEWEST_DARKS, MOST_DARKS, DarkRequest
from pipeline.model.parameter import Value
from pipeline.model.parameters import Settings
from pipeline.protocols.snapshot import Dark

Changes = Mapping[str, Value]
"""Values by parameter."""


def take_dark(view: View, frames: int, saves_somewhere: bool) -> Changes:
    """Request that the next frames of the shown camera become its dark level.

    Args:
        view: as clients see it.
        frames: how many.
        saves_somewhere: the reducer has a folder of its own where the file can be.

    Raises:
        BadRequest: there is no such camera, too few frames, or no folder for the file.
    """
    camera = _camera(view)
    if CAMERAS[camera].photon_counting:
        raise BadRequest(f"{camera} counts photons and has no dark level: show another camera.")
    if not FEWEST_DARKS <= frames <= MOST_DARKS:
        raise BadRequest(
            f"{frames} frames: expected {FEWEST_DARKS} … {MOST_DARKS}; fewer do not tell a photon "
            "from the dark."
        )
    if not view.settings.output_folder and not saves_somewhere:
        raise BadRequest("There is no folder for the file: set the property OutputFolder.")
    return {"dark_request": str(DarkRequest(f"{time.time_ns():x}", camera, frames))}


def clear_dark(view: View) -> Changes:
    """Use the uniform Background for the shown camera, and take no dark level any more."""
    return {"dark": _without(view, view.settings.dark), "dark_request": ""}


def taken(settings: Settings, dark: Dark) -> Changes:
    """Return what is requested once the pipeline has taken a dark level, or has given it up."""
    request = settings.requested_dark
    if request is None or dark.request != request.identity or not (dark.file or dark.reason):
        return {}
    if not dark.file:
        return {"dark_request": ""}
    file = CorrectionFile(dark.file, dark.sha256)
    files = {**parse_files(settings.dark), request.stream: file}
    return {"dark": format_files(files), "dark_request": ""}


def load_mask(view: View, path: str) -> Changes:
    """Read a mask and use it for the shown camera.

    Args:
        view: as clients see it.
        path: of the file, with ``::`` and a dataset behind it or not.

    Raises:
        BadPath: the file cannot be read.
        BadRequest: it is no mask of that camera.
    """
    camera = _camera(view)
    file, dataset = split_path(path)
    try:
        full = existing_path(file, view.settings.output_folder, view.file_folders)
        named = f"{full}{INSIDE}{dataset}" if dataset else str(full)
        mask = read_mask(named)
    except FileError as error:
        raise BadPath(str(error)) from error
    shape = view.image(camera).image_shape
    if shape is not None and tuple(shape.tolist()) != mask.shape:
        raise BadRequest(
            f"{path}: a mask of {mask.shape[0]}×{mask.shape[1]} pixels does not fit {camera}, "
            f"whose image has {shape[0]}×{shape[1]}."
        )
    if mask.all():
        raise BadRequest(f"{path}: all pixels are masked; a pixel is bad where it is not 0.")
    files = {**parse_files(view.settings.mask), camera: CorrectionFile(named, digest_of(mask))}
    return {"mask": format_files(files)}


def clear_mask(view: View) -> Changes:
    """Use no mask for the shown camera."""
    return {"mask": _without(view, view.settings.mask)}


def _camera(view: View) -> str:
    camera = view.shown_camera
    if not camera:
        raise BadRequest("It is not known of which camera: write Camera, or take a frame first.")
    return camera


def _without(view: View, text: str) -> str:
    """Return the files of the other cameras; none when it is not known which is shown."""
    files = dict(parse_files(text))
    if view.shown_camera:
        files.pop(view.shown_camera, None)
    else:
        files.clear()
    return format_files(files)
