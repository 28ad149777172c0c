"""The one table of parameters: name, type, default, limits, unit, help.

dranspose's parameter descriptions, the Tango attributes and the documentation are made from it.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.model.cameras import CAMERAS, check_camera
from pipeline.model.correction_files import Corrections, normal_files, parse_files
from pipeline.model.dark_request import DarkRequest, normal_request, parse_request
from pipeline.model.matched import MatchedSettings, format_matched, parse_matched
from pipeline.model.parameter import Parameter, ParameterError, Value
from pipeline.model.roi import (
    Roi,
    RoiError,
    format_photon_roi,
    format_rois,
    parse_photon_roi,
    parse_rois,
)
from pipeline.model.roi_statistics import STATISTICS

MODELS = ("none", "gaussian", "lorentzian", "pseudo-voigt", "step")
"""What can be fitted to a curve."""


def _normal_rois(text: str) -> str:
    return format_rois(parse_rois(text))


def _normal_photon_roi(text: str) -> str:
    return format_photon_roi(parse_photon_roi(text))


def _normal_matched(text: str) -> str:
    return format_matched(parse_matched(text))


_ADU = "ADU"
_RAW_LIMITS = (0.0, 65535.0)
_SUM_LIMITS = (0.0, 1e6)


def _row(default: Any, help: str, attribute: str | None = "", **more: Any) -> Any:
    return dataclasses.field(
        default=default, metadata={"help": help, "attribute": attribute, **more}
    )


@dataclass(frozen=True)
class Settings:
    """One consistent snapshot of all parameters."""

    accumulate: bool = _row(False, "True: sum frames, across scans. False: forward the newest one.")
    background: float = _row(
        100.0, "Uniform dark level of the CMOS cameras.", unit="ADU raw", limits=_RAW_LIMITS
    )
    dark: str = _row(
        "",
        'Dark levels that are used in the place of Background, {"camera": {"file": path, "sha256": '
        "digest}, …}; set by TakeDark.",
        unit="JSON",
        normalise=normal_files,
    )
    mask: str = _row(
        "",
        'Masks, {"camera": {"file": path, "sha256": digest}, …}; set by LoadMask.',
        unit="JSON",
        normalise=normal_files,
    )
    mask_noise: float = _row(
        0.0,
        "Pixels whose noise in the dark is above so many times its median are masked; 0: none are.",
        limits=(0.0, 1e6),
    )
    cmos_threshold: float = _row(
        12.0, "CMOS pixels not above it become 0.", unit=_ADU, limits=_RAW_LIMITS
    )
    photon_threshold: float = _row(
        110.0,
        "A pixel above it (above background) may belong to a photon.",
        unit=_ADU,
        limits=_RAW_LIMITS,
    )
    energy_threshold: float = _row(
        800.0, "3x3 sums not above it are no photons.", unit=_ADU, limits=_SUM_LIMITS
    )
    view_threshold: float = _row(
        1100.0, "Photons above it appear in the clean image.", unit=_ADU, limits=_SUM_LIMITS
    )
    pileup_threshold: float = _row(
        1400.0, "A 3x3 sum above it means two photons.", unit=_ADU, limits=_SUM_LIMITS
    )
    max_pileup: float = _row(
        0.02,
        "Share of photons that overlap or are above PileupThreshold that is still trusted.",
        limits=(0.0, 1.0),
    )
    max_hit_density: float = _row(
        0.01,
        "Pixels above PhotonThreshold per ROI pixel; no photon detection on denser frames.",
        limits=(0.0, 1.0),
    )
    hot_pixel_ratio: float = _row(
        0.9,
        "Hottest pixel / 3x3 sum above it is a hot pixel, not a photon; 1 switches it off.",
        limits=(0.2, 1.0),
    )
    photon_roi: str = _row(
        "",
        'Where photons are searched, {"x":…, "y":…, "width":…, "height":…}; empty: nowhere.',
        unit="JSON",
        normalise=_normal_photon_roi,
    )
    rois: str = _row(
        "{}",
        'Regions of interest, {"name": {"x":…, "y":…, "width":…, "height":…}, …}.',
        unit="JSON",
        normalise=_normal_rois,
    )
    roi_statistic: int = _row(
        0,
        "What RoiMeans, RoiMeanCurves, RoiMeanErrors, RoiNMean and RoiNCurve show of each ROI.",
        choices=STATISTICS,
    )
    fit_roi: str = _row("", "ROI whose curve is fitted; empty: none.")
    fit_model: int = _row(0, "What is fitted to the curve of FitRoi over XAxis.", choices=MODELS)
    histogram_min: float = _row(0.0, "Lower edge of the energy histogram.", unit=_ADU)
    histogram_max: float = _row(2000.0, "Upper edge of the energy histogram.", unit=_ADU)
    histogram_bins: int = _row(200, "Bins of the energy histogram.", limits=(1, 10000))
    write_photons: bool = _row(True, "Write the photons' x, y, energy file.")
    photon_energy: float = _row(0.0, "Photon energy; 0: not set.", unit="keV", limits=(0.0, 1000.0))
    distance: float = _row(
        0.0, "Sample to detector, along the beam; 0: not set.", unit="m", limits=(0.0, 1000.0)
    )
    tilt: float = _row(0.0, "Detector tilt, as in Fit2D.", unit="deg", limits=(-89.0, 89.0))
    rotation: float = _row(
        0.0, "Tilt plane rotation, as in Fit2D.", unit="deg", limits=(-360.0, 360.0)
    )
    beam_x: float = _row(0.0, "Beam centre, as in Fit2D.", unit="pixel", limits=(-1e5, 1e5))
    beam_y: float = _row(0.0, "Beam centre, as in Fit2D.", unit="pixel", limits=(-1e5, 1e5))
    azimuthal_bins: int = _row(
        1000, "Bins of the azimuthal integration; 0 switches it off.", limits=(0, 100000)
    )
    correct_polarization: bool = _row(
        True, "The azimuthal curve is corrected for the polarisation of the beam."
    )
    polarization_factor: float = _row(
        0.99,
        "Polarisation of the beam as pyFAI has it: 1 horizontal, 0 none, -1 vertical.",
        limits=(-1.0, 1.0),
    )
    camera: str = _row(
        "",
        "Camera that is shown; empty: the first of andor3_balor, andor3_zyla10, pilatus, "
        "andor3_zyla12 in the scan.",
        normalise=check_camera,
    )
    geometry_camera: str = _row(
        "",
        "Camera that geometry, rings and azimuthal integration belong to; empty: the first of "
        "the scan.",
        normalise=check_camera,
    )
    x_source: str = _row(
        "",
        "Column of the records that is the axis of the curves, a movable or a counter such as I0; "
        "empty: the first movable.",
    )
    dark_request: str = _row(
        "",
        "Which frames are to become a dark level; written by TakeDark.",
        attribute=None,
        normalise=normal_request,
    )
    matched_filter: str = _row(
        "",
        'Photons close to the noise: {"camera":…, "calibration":…, "cloud":…, "false_per_frame":…};'
        " empty: photons are sums of nine pixels.",
        unit="JSON",
        attribute=None,
        normalise=_normal_matched,
    )
    output_folder: str = _row("", "Ended sums are saved here; empty: nowhere.", attribute=None)
    accumulation_id: int = _row(
        0, "Raised by the device for each new sum; older partial sums are dropped.", attribute=None
    )

    @property
    def roi_map(self) -> dict[str, Roi]:
        """The ROIs by name, in their order."""
        return parse_rois(self.rois)

    @property
    def shown_statistic(self) -> str:
        """What is shown of each ROI, one of `STATISTICS`."""
        return STATISTICS[self.roi_statistic]

    @property
    def fitted_model(self) -> str:
        """What is fitted, one of `MODELS`."""
        return MODELS[self.fit_model]

    @property
    def photon_region(self) -> Roi | None:
        """The photon ROI, or None when photon detection is off."""
        return parse_photon_roi(self.photon_roi)

    def corrections(self, stream: str) -> Corrections:
        """Return what is done to the frames of a camera."""
        dark, mask = parse_files(self.dark).get(stream), parse_files(self.mask).get(stream)
        if CAMERAS[stream].photon_counting:
            dark = None
        return Corrections(dark, mask, self.mask_noise if dark is not None else 0.0)

    @property
    def requested_dark(self) -> DarkRequest | None:
        """Which frames are to become a dark level; None: none are."""
        return parse_request(self.dark_request)

    @property
    def polarization(self) -> float | None:
        """The polarisation that the curve is corrected for; None: it is not."""
        return self.polarization_factor if self.correct_polarization else None

    @property
    def matched(self) -> MatchedSettings | None:
        """The matched filter, or None where photons are sums of nine pixels."""
        return parse_matched(self.matched_filter)

    @property
    def photon_streams(self) -> frozenset[str]:
        """Streams of the cameras whose photons are searched when a photon ROI is set."""
        if self.matched is not None:
            return frozenset([self.matched.camera])
        return frozenset(stream for stream, camera in CAMERAS.items() if camera.finds_photons)

    def values(self) -> dict[str, Value]:
        """Return all values by parameter name."""
        return {p.name: getattr(self, p.name) for p in PARAMETERS.values()}

    def replaced(self, name: str, value: Any) -> "Settings":
        """Return a copy with one value changed.

        Raises:
            ParameterError: the parameter cannot take that value.
        """
        return dataclasses.replace(self, **{name: PARAMETERS[name].check(value)})

    def to_bytes(self) -> dict[str, bytes]:
        """Return every value as dranspose carries it."""
        return {name: p.encode(getattr(self, name)) for name, p in PARAMETERS.items()}


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def _table() -> dict[str, Parameter]:
    table: dict[str, Parameter] = {}
    for field in dataclasses.fields(Settings):
        row = dict(field.metadata)
        attribute = _camel(field.name) if row.pop("attribute") == "" else None
        default: Any = field.default
        table[field.name] = Parameter(
            name=field.name, kind=type(default), default=default, attribute=attribute, **row
        )
    return table


PARAMETERS: Mapping[str, Parameter] = _table()
"""The table, by parameter name."""

POSITION = frozenset({"distance", "tilt", "rotation", "beam_x", "beam_y"})
"""Parameters that tell where one camera stands; the photon energy is that of the beam."""

PULSE = "femtotango_pulse"
"""Parameter of no meaning: who posts it sees which services are alive, for each shows at once what
it has taken over. It is no setting, and so it stands in no table."""

ATTRIBUTES: Mapping[str, Parameter] = {
    p.attribute: p for p in PARAMETERS.values() if p.attribute is not None
}
"""The same rows by the name of their Tango attribute."""


def settings_from_bytes(
    data: Mapping[str, bytes], last: Settings
) -> tuple[Settings, tuple[str, ...]]:
    """Read one snapshot; what cannot be read keeps its last good value.

    Args:
        data: bytes by parameter name, as dranspose carries them; unknown names are ignored.
        last: the last good snapshot.

    Returns:
        The snapshot and a sentence for each value that was refused.
    """
    values: dict[str, Value] = {}
    refused: list[str] = []
    for name, parameter in PARAMETERS.items():
        if name not in data:
            continue
        try:
            values[name] = parameter.decode(data[name])
        except (ParameterError, RoiError) as error:
            refused.append(f"parameter refused: {error}")
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not stop the frames
            refused.append(f"parameter refused: {name}: {type(error).__name__}: {error}")
    return dataclasses.replace(last, **values), tuple(refused)
