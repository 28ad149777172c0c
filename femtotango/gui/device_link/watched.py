"""The attributes that the viewer watches, grouped by what shows them."""

from pipeline.model.parameters import ATTRIBUTES, PARAMETERS, POSITION

PREVIEW = "PreviewImage"

GEOMETRY_CAMERA = "GeometryCamera"
OF_ONE_CAMERA = frozenset(str(PARAMETERS[name].attribute) for name in POSITION)
"""Where a detector stands: who writes it speaks of the camera that is seen."""
GEOMETRY = OF_ONE_CAMERA | {"PhotonEnergy"}
CAMERAS = "Cameras"
IMAGE = frozenset(
    {"Detector", "ImageUnit", "ImageWidth", "ImageHeight", "FrameCount", "ImageSum", "ImageMax"}
)
RINGS = GEOMETRY | {"QValues", "Detector", "ImageWidth", "ImageHeight", "PixelSize"}
RINGS |= {GEOMETRY_CAMERA, CAMERAS}
CURVES = frozenset({"RoiNames", "RoiMeans", "XAxis", "XLabel", "ScanNumber"})
MAP = frozenset({"MapX"})
FIT = frozenset({"FitStatus", "FitCentre"})
COLUMNS = frozenset({"ColumnNames"})
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
CORRECTIONS = frozenset({"DarkProgress"})
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
        | CORRECTIONS
        | SCAN
        | STATE
        | {CAMERAS}
        | MAP
        | FIT
        | COLUMNS
    )
)
"""Everything except pixels: polled in one call."""

WATCHED = (*SMALL, PREVIEW)
"""Everything that some widget shows; all of it has change events."""
