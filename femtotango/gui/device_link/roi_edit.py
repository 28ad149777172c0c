"""Change the ROIs of the device, so that every client sees them."""

import json
from collections.abc import Iterable

import tango

from femtotango.gui.device_link.link import DeviceLink
from femtotango.gui.device_link.tango_thread import read_together
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

ROIS = "Rois"
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


def set_roi(link: DeviceLink, name: str, roi: Roi) -> None:
    """Add a ROI, or replace the one with that name."""
    text = json.dumps({"name": name, **roi.as_dict()}, ensure_ascii=False)
    link.call(lambda proxy: proxy.command_inout("AddRoi", text), key=f"roi {name}", rereads=(ROIS,))


def remove_roi(link: DeviceLink, name: str) -> None:
    """Delete a ROI."""
    link.command("RemoveRoi", name, changes=(ROIS,))


def clear_rois(link: DeviceLink) -> None:
    """Delete all ROIs."""
    link.command("ClearRois", changes=(ROIS,))


def rename_roi(link: DeviceLink, old: str, new: str) -> None:
    """Rename a ROI and keep its place; refuse a name that is not allowed or already used."""
    try:
        check_name(new)
        if new in shown_rois(link):
            raise RoiError(f"ROI name {new!r} is taken; choose another.")
    except RoiError as error:
        link.refuse(str(error), ROIS)
        return

    def rename(proxy: tango.DeviceProxy) -> None:
        now = parse_rois(read_together(proxy, ROIS)[ROIS] or "")
        renamed = {new if name == old else name: roi for name, roi in now.items()}
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
        number = float(text.replace(",", "."))
    except ValueError as error:
        raise RoiError(f"ROI {name!r}: {side} = {text!r} is not a number of pixels.") from error
    return roi_from_dict(name, {**roi.as_dict(), side: number})
