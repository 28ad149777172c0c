"""Change the ROIs of the device, so that every client sees them."""

import json
from collections.abc import Iterable
from dataclasses import replace

import tango

from femtotango.gui.device_link.history import ROIS, RoiChange
from femtotango.gui.device_link.link import DeviceLink
from femtotango.gui.device_link.tango_thread import read_together
from femtotango.gui.numbers import number_from
from pipeline.model.roi import (
    Roi,
    RoiError,
    check_name,
    format_photon_roi,
    format_rois,
    parse_photon_roi,
    parse_rois,
    roi_from_dict,
)

PHOTON_ROI = "PhotonRoi"


def shown_rois(link: DeviceLink) -> dict[str, Roi]:
    """Return the device's ROIs by name; empty when their text cannot be parsed."""
    try:
        return parse_rois(link.value(ROIS, ""))
    except RoiError:
        return {}


def shown_photon_roi(link: DeviceLink) -> Roi | None:
    """Return the device's photon ROI."""
    try:
        return parse_photon_roi(link.value(PHOTON_ROI, ""))
    except RoiError:
        return None


def free_name(taken: Iterable[str]) -> str:
    """Return ``ROI n`` with the smallest number that is not taken."""
    names = set(taken)
    return next(f"ROI {n}" for n in range(1, len(names) + 2) if f"ROI {n}" not in names)


def _note(link: DeviceLink, after: dict[str, Roi | None]) -> None:
    """Remember how the ROIs are that will be changed."""
    now = shown_rois(link)
    before = {name: now.get(name) for name in after}
    if before != after:
        link.history.add(RoiChange(before, after, tuple(now)))


def set_roi(link: DeviceLink, name: str, roi: Roi) -> None:
    """Add a ROI, or replace the one with that name; it is of the shown camera, unless it says."""
    roi = replace(roi, camera=roi.camera or link.value("Detector", ""))
    _note(link, {name: roi})
    text = json.dumps({"name": name, **roi.as_dict()}, ensure_ascii=False)
    link.call(lambda proxy: proxy.command_inout("AddRoi", text), key=f"roi {name}", rereads=(ROIS,))


def remove_roi(link: DeviceLink, name: str) -> None:
    """Delete a ROI."""
    _note(link, {name: None})
    link.command("RemoveRoi", name, changes=(ROIS,))


def clear_rois(link: DeviceLink) -> None:
    """Delete all ROIs."""
    _note(link, dict.fromkeys(shown_rois(link)))
    link.command("ClearRois", changes=(ROIS,))


def checked_name(link: DeviceLink, old: str, new: str) -> str:
    """Return a new name for a ROI when it may have it.

    Raises:
        RoiError: the name is not allowed, or another ROI has it.
    """
    check_name(new)
    if new != old and new in shown_rois(link):
        raise RoiError(f"ROI name {new!r} is taken; choose another.")
    return new


def rename_roi(link: DeviceLink, old: str, new: str) -> None:
    """Rename a ROI and keep its place; refuse a name that is not allowed or already used."""
    try:
        checked_name(link, old, new)
    except RoiError as error:
        link.refuse(str(error), ROIS)
        return

    _note(link, {old: None, new: shown_rois(link).get(old)})

    def rename(proxy: tango.DeviceProxy) -> None:
        now = parse_rois(read_together(proxy, ROIS)[ROIS] or "")
        renamed = {
            new if name == old else name: replace(
                roi,
                minus=new if roi.minus == old else roi.minus,
                over=new if roi.over == old else roi.over,
            )
            for name, roi in now.items()
        }
        proxy.write_attribute(ROIS, format_rois(renamed))

    link.call(rename, rereads=(ROIS,))


def set_photon_roi(link: DeviceLink, roi: Roi | None) -> None:
    """Set where photons are detected; None: nowhere."""
    link.write(PHOTON_ROI, format_photon_roi(roi))


def changed(name: str, roi: Roi, side: str, text: str) -> Roi:
    """Return a ROI with one of x, y, width, height replaced by what the user typed.

    Raises:
        RoiError: the text is no number of pixels.
    """
    try:
        number = number_from(text)
    except ValueError as error:
        raise RoiError(f"ROI {name!r}: {side} = {text!r} is not a number of pixels.") from error
    if side in ("width", "height") and number < 1:
        raise RoiError(f"ROI {name!r}: {side} = {text!r}: expected at least 1 pixel.")
    return roi_from_dict(name, {**roi.as_dict(), side: number})
