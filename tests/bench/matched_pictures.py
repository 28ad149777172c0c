"""Draw the pictures of the matched filter in docs/photons.md.

PYTHONPATH=.:tests python -m bench.matched_pictures
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from scipy.ndimage import correlate1d
from support.faint import faint_camera
from support.matched_quality import CLOUD

from pipeline.photons.calibration import Calibration, calibrate
from pipeline.photons.cloud_shape import reach_of, shares
from pipeline.photons.matched import MatchedFilter, MatchedPhotons

FOLDER = Path(__file__).parents[2] / "docs" / "images"
_SIZE, _ENERGY, _NOISE, _FRAMES = 512, 50.0, 2.0, 60
_SHOWN = slice(100, 148)
"""Rows and columns that are drawn."""


def main() -> None:
    """Simulate, search, and draw a picture of each step."""
    rng = np.random.default_rng(71)
    camera = faint_camera(rng, _SIZE, _NOISE)
    calibration = calibrate(camera.frame(rng) for _ in range(200))
    loose = MatchedFilter(calibration, CLOUD, 500.0)
    strict = MatchedFilter(calibration, CLOUD, 0.3)
    y, x = camera.places(rng, 2e-3)
    image = camera.frame(rng, y, x, _ENERGY, CLOUD)
    found = strict.find(image)
    _calibration(calibration)
    _filter(image, calibration, loose)
    _fit(image, calibration, found, y, x)
    _accept(rng, camera, loose, strict)


def _calibration(known: Calibration) -> None:
    figure, (left, right) = _page()
    _image(left, known.offset, "offset of each pixel [ADU]")
    _image(right, known.noise, "noise of each pixel [ADU]", high=4 * _NOISE)
    _save(figure, "matched-1-calibrate.png")


def _filter(image: np.ndarray, known: Calibration, found_by: MatchedFilter) -> None:
    figure, (left, right) = _page()
    _image(left, image, "a frame, as it comes [ADU]")
    _image(right, _ratio(image, known), "signal-to-noise ratio, and its maxima", low=-2, high=8)
    hits = found_by.find(image)
    inside = _inside(hits.y, hits.x)
    right.plot(hits.x[inside], hits.y[inside], "+", color="red", markersize=6)
    _save(figure, "matched-2-filter.png")


def _fit(
    image: np.ndarray, known: Calibration, found: MatchedPhotons, y: np.ndarray, x: np.ndarray
) -> None:
    figure, (left, right) = _page()
    _image(left, image - known.offset, "photons found (circles), and where they are (×) [ADU]")
    _places(left, found, y, x)
    _image(right, image - known.offset, "one of them, and its standard errors [ADU]")
    best = np.argmax(np.where(_inside(found.y, found.x), found.snr, 0))
    right.errorbar(
        *(found.x[best], found.y[best], found.y_error[best], found.x_error[best]),
        fmt="o",
        color="red",
        markersize=3,
        capsize=3,
    )
    right.plot(x, y, "x", color="white")
    right.set(xlim=(found.x[best] - 4.5, found.x[best] + 4.5))
    right.set(ylim=(found.y[best] + 4.5, found.y[best] - 4.5))
    _save(figure, "matched-3-fit.png")


def _accept(
    rng: np.random.Generator, camera: Any, loose: MatchedFilter, strict: MatchedFilter
) -> None:
    """Draw the ratios of noise alone and of photons, and where the threshold is."""
    dark, light = [], []
    for _ in range(_FRAMES):
        dark += list(loose.find(camera.frame(rng)).snr)
        y, x = camera.places(rng, 1e-4)
        light += list(loose.find(camera.frame(rng, y, x, _ENERGY, CLOUD)).snr)
    figure, (left, right) = _page()
    edges = np.linspace(2.5, 16, 55)
    left.hist(light, edges, histtype="step", label=f"{_FRAMES} frames with photons")
    left.hist(dark, edges, histtype="step", label=f"{_FRAMES} frames without")
    left.axvline(strict.threshold, color="k", linestyle="--", label="threshold")
    left.set(yscale="log", xlabel="signal-to-noise ratio", title="photons are above the threshold")
    left.legend(fontsize=8)
    levels = np.linspace(3.5, 5.5, 30)
    counts = [np.count_nonzero(np.array(dark) > level) / _FRAMES for level in levels]
    rates = np.logspace(-3, 2.5, 40)
    expected = [MatchedFilter(loose.calibration, CLOUD, rate).threshold for rate in rates]
    right.semilogy(levels, counts, "o", markersize=3, label="counted in dark frames")
    right.semilogy(expected, rates, label="the formula")
    right.set(
        xlabel="threshold", title="false photons per frame", xlim=(3.4, 5.6), ylim=(1e-2, 100)
    )
    right.legend(fontsize=8)
    _save(figure, "matched-4-accept.png")


def _ratio(image: np.ndarray, known: Calibration) -> np.ndarray:
    """Return the image of the signal-to-noise ratio, in the obvious way."""
    taps = shares(0.0, CLOUD, reach_of(CLOUD))
    weights = known.weights().astype(np.float64)

    def fold(values: np.ndarray, along: np.ndarray) -> np.ndarray:
        once = correlate1d(values, along, 0, mode="constant")
        return correlate1d(once, along, 1, mode="constant")

    signal = fold((image - known.offset) * weights, taps)
    return signal / np.sqrt(np.maximum(fold(weights, taps**2), 1e-12))


def _inside(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    low, high = _SHOWN.start, _SHOWN.stop - 1
    return (y > low) & (y < high) & (x > low) & (x < high)


def _places(axes: Any, found: MatchedPhotons, y: np.ndarray, x: np.ndarray) -> None:
    for row, column in zip(found.y, found.x, strict=True):
        if _inside(row, column):
            axes.add_patch(Circle((column, row), 1.8, fill=False, color="red"))
    there = _inside(y, x)
    axes.plot(x[there], y[there], "x", color="white", markersize=4)
    axes.set(xlim=(_SHOWN.start - 0.5, _SHOWN.stop - 0.5))
    axes.set(ylim=(_SHOWN.stop - 0.5, _SHOWN.start - 0.5))


def _page() -> tuple[Figure, Any]:
    figure = Figure(figsize=(8, 3.6), dpi=80, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(1, 2)


def _image(axes: Any, values: np.ndarray, title: str, **limits: float) -> None:
    part = values[_SHOWN, _SHOWN].astype(float)
    low, high = np.percentile(part, [0.5, 99.7])
    first, last = _SHOWN.start - 0.5, _SHOWN.stop - 0.5
    shown = axes.imshow(
        part,
        extent=(first, last, last, first),
        vmin=limits.get("low", low),
        vmax=limits.get("high", high),
    )
    axes.figure.colorbar(shown, shrink=0.85)
    axes.set_title(title, fontsize=9)


def _save(figure: Figure, name: str) -> None:
    FOLDER.mkdir(exist_ok=True)
    figure.savefig(FOLDER / name)
    print(FOLDER / name)


if __name__ == "__main__":
    main()
