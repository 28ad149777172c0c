"""What a client may ask of one camera's image; pure."""

from typing import Any

from femtotango.component.json_request import read_object
from femtotango.errors import BadRequest
from pipeline.model.cameras import check_camera

REGION = '{"camera": "pilatus", "x": 0, "y": 0, "width": 64, "height": 48, "binning": 1}'
RING = '{"camera": "pilatus", "q": 1.5}'
FILE = '{"camera": "pilatus", "path": "image.h5"}'
"""Examples."""
_ALL = 1_000_000
"""More pixels than any image has: a region is cut to the image."""
_DEFAULTS = {"x": 0, "y": 0, "width": _ALL, "height": _ALL, "binning": 1}


def region_of(text: str) -> tuple[str, list[int]]:
    """Read the argument of GetCameraRegion.

    Args:
        text: JSON; x and y are 0, width and height as far as the image goes, and binning is 1
            where they are not given.

    Returns:
        The camera, empty for the one that is shown, and what GetRegion takes.

    Raises:
        BadRequest: it cannot be read.
    """
    request = _read(text, REGION, *_DEFAULTS)
    numbers = []
    for key, default in _DEFAULTS.items():
        number = request.get(key, default)
        if isinstance(number, bool) or not isinstance(number, int) or abs(number) > _ALL:
            raise BadRequest(
                f"{key} = {str(number)[:40]}: expected whole pixels. Example: {REGION}"
            )
        numbers.append(number)
    return request["camera"], numbers


def ring_of(text: str) -> tuple[str, float]:
    """Read the argument of CameraQCurve.

    Returns:
        The camera, empty for the one that is shown, and the scattering vector [1/Å].

    Raises:
        BadRequest: it cannot be read.
    """
    request = _read(text, RING, "q")
    q = request.get("q")
    if isinstance(q, bool) or not isinstance(q, int | float):
        raise BadRequest(f"q = {str(q)[:40]}: expected a number [1/Å]. Example: {RING}")
    return request["camera"], float(q)


def file_of(text: str) -> tuple[str, str]:
    """Read the argument of SaveCameraImage.

    Returns:
        The camera, empty for the one that is shown, and the path.

    Raises:
        BadRequest: it cannot be read.
    """
    request = _read(text, FILE, "path")
    path = request.get("path")
    if not isinstance(path, str):
        raise BadRequest(f"path = {str(path)[:40]}: expected a text. Example: {FILE}")
    return request["camera"], path


def camera_of(text: str) -> str:
    """Read the name of a camera; empty: the one that is shown.

    Raises:
        BadRequest: there is no such camera.
    """
    try:
        return check_camera(text.strip())
    except ValueError as error:
        raise BadRequest(str(error)) from error


def _read(text: str, example: str, *keys: str) -> dict[str, Any]:
    request = read_object(text, {"camera", *keys}, example)
    return {**request, "camera": camera_of(str(request.get("camera") or ""))}
