"""Parameters of the beamline's earlier pipeline, and what they are called and mean here.

Clients written for it post these names to the controller. The device adopts them as any other
client's change; `docs/migration.md` says what else has changed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pipeline.model.parameter import ParameterError, Value
from pipeline.model.parameters import PARAMETERS, Settings
from pipeline.model.roi import Roi, format_photon_roi, parse_rois

PHOTON = "photon"
"""A ROI of this name switched photon detection on."""


@dataclass(frozen=True)
class OldParameter:
    """One row of the table."""

    old: str
    new: str
    convert: Callable[[float, Settings], float] | None = None
    """What has to be done to the value; None: nothing."""


OLD_PARAMETERS: Mapping[str, OldParameter] = {
    row.old: row
    for row in (
        OldParameter("integrate", "accumulate"),
        OldParameter("cmos_background", "background"),
        # A raw level, where ours is above the background.
        OldParameter(
            "threshold_counting",
            "photon_threshold",
            lambda value, settings: value - settings.background,
        ),
        OldParameter("pre_threshold", "view_threshold"),
        OldParameter("pileup", "pileup_threshold"),
    )
}


def translate(old: str, data: bytes, settings: Settings) -> tuple[str, Value]:
    """Return the name and the value that an old parameter has here.

    Args:
        old: a name in `OLD_PARAMETERS`.
        data: its bytes, as dranspose carries them.
        settings: in force now.

    Raises:
        ParameterError: the value cannot be used.
    """
    row = OLD_PARAMETERS[old]
    parameter = PARAMETERS[row.new]
    try:
        value = parameter.decode(data)
        if row.convert is not None:
            value = parameter.check(row.convert(float(value), settings))
    except ParameterError as error:
        raise ParameterError(f"{old} (now {row.new}): {error}") from error
    return row.new, value


def photon_roi_in(rois: str) -> str | None:
    """Return the photon ROI that a client of before sets with its ROIs; None: it sets none.

    Args:
        rois: valid JSON of all ROIs.
    """
    roi = parse_rois(rois).get(PHOTON)
    if roi is None:
        return None
    return format_photon_roi(Roi(roi.x, roi.y, roi.width, roi.height))


def with_new_names(given: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return parameters under the names of today; where both are given, those of today win.

    Args:
        given: bytes by old or new name.

    Raises:
        ParameterError: a value cannot be used.
    """
    new = {name: data for name, data in given.items() if name not in OLD_PARAMETERS}
    settings = Settings()
    # In the order of the table: a threshold needs to know the background.
    for old in OLD_PARAMETERS:
        if old in given and OLD_PARAMETERS[old].new not in new:
            if "background" in new:
                background = PARAMETERS["background"].decode(new["background"])
                settings = settings.replaced("background", background)
            name, value = translate(old, given[old], settings)
            new[name] = PARAMETERS[name].encode(value)
    if "rois" in new and "photon_roi" not in new:
        photon_roi = photon_roi_in(str(PARAMETERS["rois"].decode(new["rois"])))
        if photon_roi is not None:
            new["photon_roi"] = photon_roi.encode()
    return new
