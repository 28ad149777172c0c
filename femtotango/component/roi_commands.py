"""Change one ROI in the JSON of all; pure."""

import json
from dataclasses import replace

from femtotango.errors import BadRoi
from pipeline.model.roi import (
    MAX_ROIS,
    RoiError,
    check_name,
    check_references,
    format_rois,
    parse_rois,
    roi_from_dict,
)


def add_roi(rois: str, text: str, camera: str = "") -> str:
    """Add a ROI, or replace the one of that name in its place.

    Args:
        rois: JSON of all ROIs.
        text: JSON ``{"name": …, "x": …, "y": …, "width": …, "height": …}``, with or without
            ``"camera"``.
        camera: whose ROI it is when the text does not say; empty: of the first camera of a scan.

    Returns:
        JSON of all ROIs.

    Raises:
        BadRoi: the text is no such JSON, the ROI cannot be used, or there are too many.
    """
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:  # a number of 5000 digits is a ValueError
        raise BadRoi(f"{text[:80]!r} is not JSON ({error}).") from error
    if not isinstance(raw, dict) or "name" not in raw:
        raise BadRoi(
            f"{text[:80]!r}: expected "
            '{"name": "spot", "x": 10, "y": 20, "width": 30, "height": 40}.'
        )
    try:
        name = check_name(raw["name"])
        roi = roi_from_dict(name, raw)
        roi = roi if roi.camera else replace(roi, camera=camera)
        changed = {**parse_rois(rois), name: roi}
        check_references(changed)
    except RoiError as error:
        raise BadRoi(str(error)) from error
    if len(changed) > MAX_ROIS:
        raise BadRoi(f"There are {MAX_ROIS} ROIs already: remove one with RemoveRoi.")
    return format_rois(changed)


def remove_roi(rois: str, name: str) -> str:
    """Remove a ROI.

    Returns:
        JSON of the others.

    Raises:
        BadRoi: there is none of that name, or another one is compared with it.
    """
    there = parse_rois(rois)
    if name not in there:
        raise BadRoi(f"There is no ROI {name!r}; there are {', '.join(there) or 'none'}.")
    others = {n: roi for n, roi in there.items() if n != name}
    try:
        check_references(others)
    except RoiError as error:
        raise BadRoi(str(error)) from error
    return format_rois(others)
