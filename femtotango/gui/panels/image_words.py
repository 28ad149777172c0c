"""What is told about the image: above it, and about the pixel under the mouse."""

import time

import numpy as np

from femtotango.gui.device_link.freshness import age_text, is_running, late_by
from femtotango.gui.device_link.link import DeviceLink
from femtotango.gui.device_link.scattering import scattering_at, shown_geometry
from femtotango.gui.device_link.shown import ShownImage
from femtotango.gui.plots.shown_as import ShownAs

_GAP = " &nbsp;·&nbsp; "
_LONGEST_SPACING = 1e4
"""[Å]"""


def no_image_versions(link: DeviceLink) -> list[str]:
    """Return what stands in the place of the title while there is no image, shorter and shorter."""
    short = "no image yet"
    if is_running(link):
        return [f"{short}: waiting for the first frame", short]
    return [f"{short}: start a scan, or press Go live", short]


def title_versions(link: DeviceLink, image: ShownImage, shown_as: ShownAs) -> list[str]:
    """Return the title of an image, shorter and shorter.

    Args:
        link: to the device.
        image: that is shown.
        shown_as: how its values are shown.
    """
    count = image.frames
    summed = count > 1 or link.value("Accumulate", False)
    long = f"sum of {count} frames" if summed else "newest frame"
    short = f"{count} frames" if summed else "newest"
    # The box of cameras beside it says which one was chosen.
    name = [] if link.chosen_camera else [f"<b>{image.detector}</b>"]
    unit = link.value("ImageUnit", "")
    if shown_as.difference and shown_as.kept is not None:
        minus = f"minus a kept one of {shown_as.kept.frames}, {unit} per frame"
        return [_GAP.join([*name, long, minus]), _GAP.join([short, "minus kept"])]
    divisor, per = (count, " per frame") if shown_as.per_frame else (1, "")
    total = link.value("ImageSum", np.nan) / divisor
    hottest = link.value("ImageMax", np.nan) / divisor
    return [
        _GAP.join(parts)
        for parts in (
            [*name, long, f"total {total:.4g} {unit}{per}", f"hottest {hottest:.4g} {unit}{per}"],
            [*name, long, f"total {total:.4g}", f"hottest {hottest:.4g} {unit}{per}"],
            [*name, short, f"hottest {hottest:.4g} {unit}{per}"],
            [short, f"hottest {hottest:.4g} {unit}{per}"],
            [short, f"hottest {hottest:.4g}"],
            [short],
        )
    ]


def age_of_image(link: DeviceLink, scan_age: float) -> str:
    """Return how old the image is, in words; empty while it is of now.

    Args:
        link: to the device.
        scan_age: for how long the scan has been known [s].
    """
    if not link.connected:
        taken = link.reading("FrameCount").time
        known = time.strftime("%H:%M:%S", time.localtime(taken)) if taken else "before"
        return f"not connected: image of {known}"
    late = late_by(link, scan_age)
    return f"no frame for {age_text(late)}" if late else ""


def pixel_words(
    link: DeviceLink, position: tuple[float, float], value: float, block: int, shown_as: ShownAs
) -> str:
    """Return what is told about the pixel under the mouse.

    Args:
        link: to the device.
        position: ``(x, y)`` [pixel].
        value: that is shown there; NaN: masked.
        block: pixels per side that it stands for.
        shown_as: how values are shown.
    """
    column, row = (int(np.floor(p + 0.5)) for p in position)
    per = "/frame" if shown_as.per_frame or shown_as.difference else ""
    masked = bool(np.isnan(value))
    text = "masked" if masked else f"{value:.4g} {link.value('ImageUnit', '')}{per}"
    of_block = ""
    if block > 1:
        kind = "max of " if link.value("MaxFilter", False) else "mean of "
        of_block = f"  {'' if masked else kind}{block}×{block}"
    return f"x {column}  y {row}\n{text.strip()}{of_block}{_scattering(link, *position)}"


def _scattering(link: DeviceLink, x: float, y: float) -> str:
    """Tell q, angle and spacing of a position; empty while the geometry is not set."""
    geometry = shown_geometry(link)
    if geometry is None:
        return ""
    there = scattering_at(geometry, x, y)
    # Beside the beam, q and angle would be long numbers, and the spacing has no meaning.
    q, angle = (f"{v:.4g}" if v >= 0.01 else f"{v:.4f}" for v in (there.q, there.two_theta))
    spacing = f"{there.spacing:.4g}" if there.spacing < _LONGEST_SPACING else "–"
    return f"\nq {q} 1/Å  d {spacing} Å\n2θ {angle}°"
