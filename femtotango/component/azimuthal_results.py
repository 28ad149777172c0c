"""The attributes of the azimuthal curve."""

from femtotango.component import result_readers as readers
from femtotango.component.result_row import Result, most_bins

_AZIMUTHAL = most_bins("azimuthal_bins")

AZIMUTHAL_RESULTS: tuple[Result, ...] = (
    Result(
        "AzimuthalIntensity",
        float,
        "Azimuthal mean of the image over AzimuthalQ.",
        readers.array(lambda p: p.azimuthal.intensity),
        dims=_AZIMUTHAL,
    ),
    Result(
        "AzimuthalErrors",
        float,
        "Standard errors of AzimuthalIntensity.",
        readers.array(lambda p: p.azimuthal.intensity_errors),
        dims=_AZIMUTHAL,
    ),
    Result(
        "AzimuthalQ",
        float,
        "Scattering vector of AzimuthalIntensity.",
        readers.array(lambda p: p.azimuthal.q),
        unit="1/angstrom",
        dims=_AZIMUTHAL,
    ),
)
