"""The read-only attributes, as one table: each subject has its rows in a file of its own."""

from femtotango.component.azimuthal_results import AZIMUTHAL_RESULTS
from femtotango.component.curve_results import CURVE_RESULTS
from femtotango.component.fit_results import FIT_RESULTS
from femtotango.component.health_results import HEALTH_RESULTS
from femtotango.component.image_results import image_results
from femtotango.component.photon_results import PHOTON_RESULTS
from femtotango.component.result_row import Result
from femtotango.component.roi_results import ROI_RESULTS
from femtotango.component.scan_results import SCAN_RESULTS

RESULTS: tuple[Result, ...] = (
    *image_results(),
    *ROI_RESULTS,
    *CURVE_RESULTS,
    *FIT_RESULTS,
    *PHOTON_RESULTS,
    *AZIMUTHAL_RESULTS,
    *SCAN_RESULTS,
    *HEALTH_RESULTS,
)
"""All but AccumulatedImage, which is fetched on demand."""
