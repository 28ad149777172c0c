"""The attributes that the viewer watches, grouped by what shows them."""

from pipeline.model.parameters import ATTRIBUTES

PREVIEW = "PreviewImage"

GEOMETRY = frozenset({"PhotonEnergy", "Distance", "Tilt", "Rotation", "BeamX", "BeamY"})
IMAGE = frozenset(
    {"Detector", "ImageUnit", "ImageWidth", "ImageHeight", "FrameCount", "ImageSum", "ImageMax"}
)
RINGS = GEOMETRY | {"QValues", "Detector", "ImageWidth", "ImageHeight", "PixelSize"}
CURVES = frozenset({"RoiNames", "RoiMeans", "XAxis", "XLabel", "ScanNumber"})
PHOTONS = frozenset(
    {
        "PhotonCount",
        "PileupFraction",
        "HitDensity",
        "SkippedFrames",
        "Trusted",
        "TrustReason",
        "PhotonFile",
        "SaveRaw",
    }
)
HISTOGRAM = frozenset({"EnergyHistogram", "EnergyAxis"})
AZIMUTHAL = frozenset({"AzimuthalQ", "AzimuthalIntensity", "AzimuthalErrors"})
SCAN = frozenset(
    {
        "ScanNumber",
        "ScanFrames",
        "ScanTitle",
        "ScanFinished",
        "EventsProcessed",
        "EventsTotal",
        "FailedFrames",
        "FrameRate",
        "LastFrameAge",
        "LastError",
    }
)
STATE = frozenset({"State", "Status", "UnsafeFrames"})

SMALL = tuple(
    sorted(
        frozenset(ATTRIBUTES)
        | {"MaxFilter"}
        | IMAGE
        | RINGS
        | CURVES
        | PHOTONS
        | HISTOGRAM
        | AZIMUTHAL
        | SCAN
        | STATE
    )
)
"""Everything except pixels: polled in one call."""

WATCHED = (*SMALL, PREVIEW)
"""Everything that some widget shows; all of it has change events."""
