"""Azimuthal integration beside pyFAI alone, and drawing of rings."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.diffraction.geometry import Geometry
from pipeline.diffraction.integration import AzimuthalCurve, Integrator
from pipeline.model.cameras import CAMERAS, Unit

RATIO_LIMIT = 1.0
"""How many times as long as pyFAI alone an integration may take."""
RINGS_LIMIT_MS = 50.0
"""What a viewer may wait for twenty rings."""

_ENGINES = ("csc", "csr", "histogram")
"""pyFAI's compiled ways for independent bins."""
_BINS = 1000
_POLARIZATION = 0.99
_MASKED = 0.09
"""Share of the pixels that a Pilatus masks."""
_SHAPES = {"pilatus": (831, 1475), "andor3_balor": (4104, 4128)}


@dataclass(frozen=True)
class AzimuthalRow:
    """One detector and unit."""

    detector: str
    unit: str
    set_up_ms: float
    """The first integration after a change of the geometry."""
    image_ms: float
    """Each further one."""
    pyfai_set_up_ms: float
    pyfai_image_ms: float
    engine: str
    """pyFAI's fastest one."""
    ratios: Sequence[float]
    """Of each round: how many times as long as pyFAI alone the image took."""

    @property
    def ratio(self) -> float:
        """How many times as long as pyFAI alone an image takes."""
        return self.image_ms / self.pyfai_image_ms

    @property
    def reached(self) -> bool:
        """True when the limit holds."""
        return self.ratio <= RATIO_LIMIT


@dataclass(frozen=True)
class RingsRow:
    """Twenty rings on a Pilatus."""

    tilt: float
    """[deg]"""
    points: int
    draw_ms: float

    @property
    def reached(self) -> bool:
        """True when the limit holds."""
        return self.draw_ms <= RINGS_LIMIT_MS


def azimuthal_rows(
    detectors: tuple[str, ...] = tuple(_SHAPES), *, rounds: int = 15, seed: int = 1
) -> list[AzimuthalRow]:
    """Measure integration and check it against pyFAI.

    pyFAI runs with that of its compiled engines which is the fastest here and gives independent
    bins. The two run alternately, and the median counts, so that other work on the machine falls on
    both.

    Args:
        detectors: stream names.
        rounds: images of each.
        seed: of the images.

    Returns:
        A row for each detector, and for each way to tell errors.

    Raises:
        AssertionError: the curve is not pyFAI's.
    """
    rows = []
    for detector in detectors:
        shape = _SHAPES[detector]
        geometry = _geometry(detector, shape, tilt=10.0)
        random = np.random.default_rng(seed)
        image = random.poisson(5.0, shape).astype(np.float64)
        image[random.random(shape) < _MASKED] = np.nan
        for unit in (Unit.COUNTS, Unit.ADU):
            rows.append(_row(detector, unit, geometry, image, rounds))
        dark = random.normal(100.0, 3.0, shape).astype(np.float32)
        rows.append(_row(detector, Unit.ADU, geometry, image + dark, rounds, dark))
    return rows


def _geometry(detector: str, shape: tuple[int, int], tilt: float) -> Geometry:
    pixel_size = CAMERAS[detector].pixel_size
    return Geometry(13.5, 0.131, tilt, 30.0, 210.0, 373.0, pixel_size, shape)


def _row(
    detector: str,
    unit: str,
    geometry: Geometry,
    image: NDArray[Any],
    rounds: int,
    dark: NDArray[Any] | None = None,
) -> AzimuthalRow:
    """Measure one row; with a dark level also the polarisation is corrected."""
    polarization = None if dark is None else _POLARIZATION
    Integrator().integrate(image, geometry, _BINS, unit)  # compiles
    integrator = Integrator()
    pyfai = _pyfai(geometry)
    model = "poisson" if unit == Unit.COUNTS else "azimuthal"

    def ours() -> AzimuthalCurve:
        light = image if dark is None else image - dark
        return integrator.integrate(light, geometry, _BINS, unit, polarization=polarization)

    def with_engine(engine: str) -> Any:
        return pyfai.integrate1d(
            image,
            _BINS,
            unit="q_A^-1",
            method=("no", engine, "cython"),
            error_model=model,
            dark=dark,
            polarization_factor=polarization,
        )

    set_ups = {engine: _milliseconds(lambda e=engine: with_engine(e)) for engine in _ENGINES}
    engine = min(_ENGINES, key=lambda e: min(_milliseconds(lambda: with_engine(e)) for _ in "123"))
    theirs = partial(with_engine, engine)
    set_up = _milliseconds(ours)
    _check(ours(), theirs())
    times = [(_milliseconds(ours), _milliseconds(theirs)) for _ in range(rounds)]
    return AzimuthalRow(
        detector,
        unit if dark is None else f"{unit}, dark and polarisation",
        set_up,
        median(mine for mine, _ in times),
        set_ups[engine],
        median(other for _, other in times),
        engine,
        [mine / other for mine, other in times],
    )


def _pyfai(geometry: Geometry) -> Any:
    from pyFAI.detectors import Detector
    from pyFAI.integrator.azimuthal import AzimuthalIntegrator

    detector = Detector(*geometry.pixel_size, max_shape=geometry.shape, orientation=3)
    integrator = AzimuthalIntegrator(detector=detector, wavelength=geometry.wavelength)
    beam = (geometry.beam_x, geometry.beam_y)
    integrator.setFit2D(geometry.distance * 1e3, *beam, geometry.tilt, geometry.rotation)
    return integrator


def _check(ours: AzimuthalCurve, theirs: Any) -> None:
    # A pixel at the edge of a bin may fall into the next one in pyFAI's single precision.
    many = theirs.count > 50
    off_q = np.abs(ours.q - theirs.radial) / ours.q[-1]
    off_intensity = np.abs(ours.intensity / theirs.intensity - 1)[many]
    off_errors = np.abs(ours.errors / theirs.sem - 1)[many]
    if off_q.max() > 1e-5 or off_intensity.max() > 0.02 or np.median(off_errors) > 0.02:
        raise AssertionError(
            f"the curve is not pyFAI's: q off by {off_q.max():.1e}, intensity by "
            f"{off_intensity.max():.1e}, errors by {np.median(off_errors):.1e}"
        )


def rings_rows(tilts: tuple[float, ...] = (0.0, 30.0, 80.0), *, rounds: int = 9) -> list[RingsRow]:
    """Measure the drawing of twenty rings over the whole detector.

    Args:
        tilts: [deg].
        rounds: how often each is drawn; the median counts.

    Raises:
        AssertionError: a point is not where pyFAI has that q, to 0.05 pixel.
    """
    rows = []
    for tilt in tilts:
        geometry = _geometry("pilatus", _SHAPES["pilatus"], tilt)
        array = geometry.q_of_pixels()
        values = np.linspace(array.min(), array.max(), 22)[1:-1]
        rings = [geometry.ring(float(q)) for q in values]
        for q, ring in zip(values, rings, strict=True):
            _check_ring(geometry, float(q), ring[np.isfinite(ring[:, 0])])
        times = [
            _milliseconds(lambda g=geometry, v=values: [g.ring(float(q)) for q in v])
            for _ in range(rounds)
        ]
        rows.append(RingsRow(tilt, sum(map(len, rings)), median(times)))
    return rows


def _check_ring(geometry: Geometry, q: float, points: NDArray[np.float64]) -> None:
    pyfai = _pyfai(geometry)
    y, x = points.T
    step = 1e-3

    def at(dy: float, dx: float) -> NDArray[np.float64]:
        return pyfai.qFunction(y + dy, x + dx) / 10  # from 1/nm

    slope = np.hypot(at(step, 0) - at(-step, 0), at(0, step) - at(0, -step)) / (2 * step)
    off = np.max(np.abs(at(0, 0) - q) / slope)
    if not off < 0.05:
        raise AssertionError(f"the ring of q = {q:g} 1/Å is {off:g} pixel off")


def _milliseconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return (time.perf_counter() - begin) * 1e3
