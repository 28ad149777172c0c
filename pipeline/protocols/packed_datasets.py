"""What the datasets hold that are packed into one array of their own."""

import numpy as np
from numpy.typing import NDArray

from pipeline.protocols.groups import Group, published, value

_NOTHING = np.empty(0)


@published
class RoiCurves(Group):
    """What the dataset `CURVES` holds: all ROI curves of one moment."""

    names: tuple[str, ...] = value("The ROIs.")
    x: NDArray[np.float64] = value("Their axis.", shape="(point,)")
    means: NDArray[np.float64] = value("Mean per frame or motor step.", shape="(roi, point)")
    errors: NDArray[np.float64] = value(
        "Standard errors; NaN where there is none.", shape="(roi, point)"
    )
    map_x: NDArray[np.float64] = value(
        "Positions of the first of two movables.", default=_NOTHING, shape="(point,)"
    )
    map_y: NDArray[np.float64] = value(
        "Positions of the second.", default=_NOTHING, shape="(point,)"
    )
    counts: NDArray[np.float64] | None = value(
        "Frames in each point of a scan by steps.", default=None, shape="(roi, point)"
    )


@published
class ImageRois(Group):
    """What the dataset `IMAGE_ROIS` of a camera holds: its ROIs as they are in its image."""

    rois: str = value("JSON: the ROIs of this camera, their places, by name.")
    statistics: NDArray[np.float64] = value(
        "In the order of `roi_stats`; behind them the number of valid pixels.",
        shape="(roi, statistic)",
    )
    frames: int = value("Frames in the image.")
    unit: str = value("As `image_unit`.")


@published
class FrameSafety(Group):
    """What the dataset `FRAME_SAFETY` holds: is every frame safe somewhere?

    Of the newest series of a camera whose photons are searched; as it stands when it is read.
    """

    process: str = value("Random name of the reducer's process.", default="")
    mapping: str = value("Trigger map of the series; empty: there was none.", default="")
    number: int = value("The scan's number, as in `scan/number`.", default=0)
    filename: str = value("The photon file; empty: there is none.", default="")
    may_drop_raw: int = value("1: every frame so far is safe without raw data.", default=0)
    reason: str = value("Why not, and what to do.", default="")
    newest: int = value("Number of the newest frame; -1: there is none.", default=-1)
    unsafe: str = value(
        "Frames without durable photons for good: `3-5, 9`; all, when the file is gone.", default=""
    )
    waiting: str = value("Frames whose photons wait to become durable.", default="")
    series_ended: int = value("1: the camera's series has ended.", default=0)
    complete: int = value("1: it has ended, and the photons of each frame are durable.", default=0)
    save_raw: int | None = value("The header's `save_raw`, where it has one.", default=None)
