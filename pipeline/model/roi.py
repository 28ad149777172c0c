"""Regions of interest: the value type, its JSON, and what part of an image it covers."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from pipeline.model.cameras import check_camera

MAX_ROIS = 100
MAX_NAME_LENGTH = 32
COLUMN = "column:"
"""Begins the name of a record's number that a ROI is divided by."""
FORBIDDEN_IN_NAMES = frozenset("\"'\\/`")
_MAX_COORDINATE = 1e6


class RoiError(ValueError):
    """A ROI that cannot be used; the text says which, why, and what is accepted."""


@dataclass(frozen=True)
class Roi:
    """A rectangle of whole pixels, ``[x, x + width) x [y, y + height)``, in full-image pixels."""

    x: int
    y: int
    width: int
    height: int
    camera: str = ""
    """Stream of the camera whose ROI it is; empty: that of the first camera of the scan."""
    minus: str = ""
    """ROI whose mean is subtracted; empty: none."""
    over: str = ""
    """ROI by whose sum it is divided, or ``column:NAME`` of the records; empty: none."""

    @property
    def place(self) -> "Roi":
        """The ROI without what it is compared with."""
        return replace(self, minus="", over="")

    def slices(self, shape: tuple[int, int]) -> tuple[slice, slice] | None:
        """Cut the ROI to an image.

        Args:
            shape: ``(ny, nx)`` of the image [pixel].

        Returns:
            Slices ``(y, x)`` into the image, or None when the ROI lies wholly outside.
        """
        y0, y1 = max(self.y, 0), min(self.y + self.height, shape[0])
        x0, x1 = max(self.x, 0), min(self.x + self.width, shape[1])
        if y0 >= y1 or x0 >= x1:
            return None
        return slice(y0, y1), slice(x0, x1)

    def as_dict(self) -> dict[str, int | str]:
        """Return the ROI in the form that its JSON has."""
        place = {"x": self.x, "y": self.y, "width": self.width, "height": self.height}
        more = {"camera": self.camera, "minus": self.minus, "over": self.over}
        return place | {key: text for key, text in more.items() if text}


def check_name(name: str) -> str:
    """Return the name of a ROI when it may be used.

    Raises:
        RoiError: the name is empty, too long, or holds a character that HTTP paths, the Tango
            database or the HDF5 reader cannot carry.
    """
    if not isinstance(name, str) or not 1 <= len(name) <= MAX_NAME_LENGTH:
        raise RoiError(f"ROI name {name!r}: use 1 to {MAX_NAME_LENGTH} characters.")
    if any(c in FORBIDDEN_IN_NAMES or not c.isprintable() for c in name):
        raise RoiError(
            f"ROI name {name!r}: quotes, backslash, slash and control characters cannot be used."
        )
    if name.endswith("_attrs"):
        raise RoiError(f"ROI name {name!r}: a name must not end in '_attrs'.")
    if name in (".", ".."):
        raise RoiError(f"ROI name {name!r} is a path, not a name: use letters or digits.")
    return name


def roi_from_dict(name: str, value: Any) -> Roi:
    """Build a ROI from ``{"x", "y", "width", "height"}`` or from silx ``{"handles": …}``.

    Beside either there may be ``"camera"``, the stream of the camera whose ROI it is, ``"minus"``
    and ``"over"``, with what it is compared.

    Args:
        name: used in error texts only.
        value: numbers in pixels; they are rounded to whole pixels, sizes to at least 1.

    Raises:
        RoiError: a key is missing, a number is not finite or absurd, or the camera is not known.
    """
    if not isinstance(value, Mapping):
        raise RoiError(f"ROI {name!r}: expected an object with x, y, width, height; got {value!r}.")
    camera = _camera(name, value.get("camera"))
    given = value
    if "handles" in value:
        value = _from_handles(name, value["handles"])
    numbers: dict[str, float] = {}
    for key in ("x", "y", "width", "height"):
        if key not in value:
            raise RoiError(f"ROI {name!r}: {key!r} is missing; give x, y, width and height.")
        number = value[key]
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise RoiError(f"ROI {name!r}: {key} = {number!r} is not a number of pixels.")
        # In this order: an int may be too large for a float.
        if not -_MAX_COORDINATE <= number <= _MAX_COORDINATE:
            raise RoiError(f"ROI {name!r}: {key} = {number!r} is no pixel of any detector.")
        numbers[key] = float(number)
    if numbers["width"] < 0 or numbers["height"] < 0:
        raise RoiError(
            f"ROI {name!r}: width and height must be positive, "
            f"got {numbers['width']:g} x {numbers['height']:g}."
        )
    return Roi(
        x=math.floor(numbers["x"] + 0.5),
        y=math.floor(numbers["y"] + 0.5),
        width=max(1, math.floor(numbers["width"] + 0.5)),
        height=max(1, math.floor(numbers["height"] + 0.5)),
        camera=camera,
        minus=_reference(name, "minus", given.get("minus")),
        over=_reference(name, "over", given.get("over")),
    )


def _reference(name: str, key: str, value: Any) -> str:
    """Return what a ROI is compared with; whether that is there is seen with all ROIs."""
    if value is None or value == "":
        return ""
    if not isinstance(value, str):
        raise RoiError(f"ROI {name!r}: {key} = {value!r} is no text; give the name of a ROI.")
    if value.startswith(COLUMN):
        if key != "over":
            raise RoiError(f"ROI {name!r}: minus = {value!r}: only a ROI can be subtracted.")
        if not value.removeprefix(COLUMN).strip() or not value.isprintable():
            raise RoiError(
                f"ROI {name!r}: over = {value!r}: give column:NAME of a record's number."
            )
        return value
    return check_name(value)


def check_references(rois: Mapping[str, Roi]) -> None:
    """Check that what ROIs are compared with is there, and is compared with nothing itself.

    Raises:
        RoiError: a name is of no ROI, or there is a chain or a circle.
    """
    for name, roi in rois.items():
        for key, other in (("minus", roi.minus), ("over", roi.over)):
            if not other or other.startswith(COLUMN):
                continue
            if other not in rois:
                raise RoiError(
                    f"ROI {name!r}: {key} names {other!r}, and there is no such ROI; add that one "
                    f"first, or change {name!r} before it is removed."
                )
            if other == name:
                raise RoiError(f"ROI {name!r}: {key} names the ROI itself; name another one.")
            if rois[other].minus or rois[other].over:
                raise RoiError(
                    f"ROI {name!r}: {key} names {other!r}, which has a minus or over itself; "
                    "name a ROI that has none."
                )


def _camera(name: str, value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise RoiError(f"ROI {name!r}: camera = {value!r} is no text.")
    try:
        return check_camera(value)
    except ValueError as error:
        raise RoiError(f"ROI {name!r}: {error}") from error


def _from_handles(name: str, handles: Any) -> dict[str, float]:
    try:
        (ax, ay), (bx, by) = handles["_handleBottomLeft"], handles["_handleTopRight"]
        ax, ay, bx, by = float(ax), float(ay), float(bx), float(by)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise RoiError(
            f"ROI {name!r}: handles need _handleBottomLeft and _handleTopRight as [x, y] ({error})."
        ) from error
    return {"x": min(ax, bx), "y": min(ay, by), "width": abs(bx - ax), "height": abs(by - ay)}


def _load(text: str, what: str) -> Any:
    def no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise RoiError(f"{what}: {sorted(twice)[0]!r} stands there twice.")
        return dict(pairs)

    try:
        return json.loads(text, object_pairs_hook=no_doubles)
    except RoiError:
        raise
    except (ValueError, RecursionError) as error:  # a number of 5000 digits is a ValueError
        raise RoiError(f"{what}: {text[:80]!r} is not JSON ({error}).") from error


@lru_cache(maxsize=64)
def _parse_rois(text: str) -> tuple[tuple[str, Roi], ...]:
    if not text.strip():
        return ()
    raw = _load(text, "Rois")
    if not isinstance(raw, dict):
        raise RoiError(f'Rois: expected {{"name": {{"x": …}}, …}}, got {text[:80]!r}.')
    if len(raw) > MAX_ROIS:
        raise RoiError(f"Rois: {len(raw)} ROIs given, at most {MAX_ROIS} are possible.")
    rois = {check_name(name): roi_from_dict(name, value) for name, value in raw.items()}
    check_references(rois)
    return tuple(rois.items())


def parse_rois(text: str) -> dict[str, Roi]:
    """Read named ROIs from JSON, in the order they stand there.

    Raises:
        RoiError: the text is no JSON object of ROIs, a name or a number cannot be used.
    """
    return dict(_parse_rois(text))


def format_rois(rois: Mapping[str, Roi]) -> str:
    """Write named ROIs as the JSON that `parse_rois` reads."""
    return json.dumps({name: roi.as_dict() for name, roi in rois.items()}, ensure_ascii=False)


@lru_cache(maxsize=64)
def parse_photon_roi(text: str) -> Roi | None:
    """Read the photon ROI from JSON; empty text means that photon detection is off.

    Raises:
        RoiError: the text is neither empty nor a ROI.
    """
    if not text.strip():
        return None
    raw = _load(text, "PhotonRoi")
    if raw is None or raw == {}:
        return None
    # Only one camera's photons are searched.
    return replace(roi_from_dict("PhotonRoi", raw), camera="", minus="", over="")


def format_photon_roi(roi: Roi | None) -> str:
    """Write the photon ROI as the JSON that `parse_photon_roi` reads."""
    return "" if roi is None else json.dumps(roi.as_dict())
