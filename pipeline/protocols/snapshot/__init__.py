"""The one table of what the reducer publishes: names, types, shapes, units, meanings.

A field's name is the name on the wire, a group's name the first part of the path. The publisher
fills these groups, and clients get them back from `read_group`, so that the type checker sees both
sides. `docs/published.md` is printed from here.
"""

from pipeline.protocols.snapshot.diffraction import Azimuthal, Geometry
from pipeline.protocols.snapshot.image import (
    PREVIEW_SIZE,
    CameraImage,
    PlotImage,
    Preview,
    ScanCamera,
)
from pipeline.protocols.snapshot.photons import EnergyHistogram, Photons
from pipeline.protocols.snapshot.published import NOTHING, Crop, Dark, Health, Published
from pipeline.protocols.snapshot.rois import (
    MAX_CURVE_POINTS,
    RoiStatistic,
    RoiStatistics,
    StepMeans,
)
from pipeline.protocols.snapshot.scan import Scan

__all__ = [
    "MAX_CURVE_POINTS",
    "NOTHING",
    "PREVIEW_SIZE",
    "Azimuthal",
    "CameraImage",
    "Crop",
    "Dark",
    "EnergyHistogram",
    "Geometry",
    "Health",
    "Photons",
    "PlotImage",
    "Preview",
    "Published",
    "RoiStatistic",
    "RoiStatistics",
    "Scan",
    "ScanCamera",
    "StepMeans",
]
