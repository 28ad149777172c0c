"""A page of pictures for each run: of the photons, or else of image and curves."""

import io
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.files.atomic import FileError, write_new
from pipeline.files.nexus_image import ImageRecord
from pipeline.model.cameras import Unit
from pipeline.postprocessing.errors import BadOutput
from pipeline.postprocessing.eta_list import EtaResult, read_eta
from pipeline.postprocessing.outputs import Outputs
from pipeline.postprocessing.results import Results, image_record

_THRESHOLDS = {
    "energy_threshold": "photons are above",
    "view_threshold": "shown above",
    "pileup_threshold": "two photons above",
}
_SUBPIXEL_BINS = 32
_SUBPIXEL_PHOTONS = 2_000_000
"""So many are enough for the map of positions within the pixel."""
_BLOCKS, _COUNT_BLOCKS = 700, 260
"""Blocks of the drawn image along each side; fewer where most pixels have no photon."""
_USUAL = 99.0
"""Curves are drawn to this percentile of their values, with a margin."""


def save_report(results: Results, outputs: Outputs) -> None:
    """Draw the page; one that stands already is kept.

    Args:
        results: of the series.
        outputs: where its photons are, and where the page goes.

    Raises:
        BadOutput: it cannot be written.
    """
    path = Path(outputs.report)
    if path.exists():
        return
    figure = Figure(figsize=(14, 10), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 2)
    record = image_record(results)
    figure.suptitle(
        f"{Path(results.raw).name}: {results.published.scan.frames} frames of {results.stream}"
        + (f", {results.published.photons.count} photons" if outputs.photons else "")
    )
    if outputs.photons:
        eta = read_eta(Path(outputs.photons))
        with h5py.File(outputs.photons, locking=False) as file:
            entry: Any = file["entry"]
            _energies(axes[0, 0], results)
            if eta is None:
                _within_pixel(axes[0, 1], entry["photons"])
            else:
                _flatness(axes[0, 1], eta)
            _per_frame(axes[1, 0], entry["frames"])
    else:
        _curves(axes[0, 0], results)
        _azimuthal(axes[0, 1], results)
        _values(axes[1, 0], record)
    _image(figure, axes[1, 1], record)
    page = io.BytesIO()
    figure.savefig(page, format="png")
    try:
        write_new(path, lambda part: part.write_bytes(page.getbuffer()))
    except FileError as error:
        raise BadOutput(f"{error} Make room or fix it, then go on with --resume.") from error


def _energies(axes: Any, results: Results) -> None:
    histogram, settings = results.published.energy_histogram, results.settings
    label = "3×3 sum [ADU]" if settings.matched is None else "fitted energy [ADU]"
    axes.set(title="energies", xlabel=label, ylabel="photons")
    if not len(histogram.energy):
        _say(axes, "HistogramMin is not below HistogramMax")
        return
    axes.step(histogram.energy, histogram.counts, where="mid", linewidth=1)
    for number, (name, meaning) in enumerate(_THRESHOLDS.items(), start=1):
        value = getattr(settings, name)
        if not 0 < value < settings.histogram_max:
            continue
        label = f"{meaning} {value:g}"
        axes.axvline(value, color=f"C{number}", linestyle="--", linewidth=1, label=label)
    if histogram.counts.any():
        peak = histogram.energy[np.argmax(histogram.counts)]
        axes.set_title(f"energies: peak at {peak:.0f} ADU")
        axes.set_yscale("log")
        axes.set_ylim(0.7)
    if axes.get_legend_handles_labels()[0]:
        axes.legend()


def _within_pixel(axes: Any, photons: Any) -> None:
    x = photons["x"][:_SUBPIXEL_PHOTONS].astype(np.float64)
    y = photons["y"][:_SUBPIXEL_PHOTONS].astype(np.float64)
    axes.set(xlabel="x within the pixel", ylabel="y within the pixel")
    axes.set_title("positions within the pixel: flat where the centroid is right")
    if not len(x):
        _say(axes, "no photons")
        return
    length = min(len(x), len(y))
    edges = np.linspace(-0.5, 0.5, _SUBPIXEL_BINS + 1)
    shifted_y, shifted_x = (values[:length] - np.floor(values[:length] + 0.5) for values in (y, x))
    counts, _, _ = np.histogram2d(shifted_y, shifted_x, bins=(edges, edges))
    shown = axes.imshow(counts, extent=(-0.5, 0.5, -0.5, 0.5), origin="lower", vmin=0)
    axes.figure.colorbar(shown, label="photons", shrink=0.8)


def _flatness(axes: Any, eta: EtaResult) -> None:
    """Draw the places within the pixel before and after the correction."""
    for number, (name, one) in enumerate(eta.axes.items()):
        for what, flat, style in (("plain", one.before, ":"), ("corrected", one.after, "-")):
            edges = np.linspace(-0.5, 0.5, len(flat.counts) + 1)
            label = f"{name} {what}: χ² {flat.chi_square:.2f} per bin"
            color = f"C{number}"
            axes.stairs(flat.counts, edges, label=label, color=color, linestyle=style)
    axes.set(title="eta correction", xlabel="place within the pixel", ylabel="photons")
    axes.set_ylim(0)
    axes.legend(loc="lower center")


def _per_frame(axes: Any, frames: Any) -> None:
    number, photons, status = (frames[name][()] for name in ("frame", "photons", "status"))
    axes.plot(number, photons, ".", markersize=3)
    other = number[status != 0]
    if len(other):
        axes.plot(other, np.zeros(len(other)), "rx", label=f"{len(other)} frames not searched")
        axes.legend()
    axes.set(title="photons per frame", xlabel="frame number", ylabel="photons")
    axes.set_ylim(0, 1.1 * max(1, int(photons.max(initial=0))))
    axes.xaxis.get_major_locator().set_params(integer=True)


def _curves(axes: Any, results: Results) -> None:
    published = results.published
    axes.set(title="ROI means", xlabel=published.x_label or "frame number", ylabel="mean")
    steps = published.step_means or {}
    if steps:
        for name, step in steps.items():
            axes.errorbar(
                *(np.asarray(values) for values in (step.x, step.y, step.y_errors)),
                fmt="o-",
                capsize=3,
                label=name,
            )
    for name, means in ({} if steps else published.roi_means or {}).items():
        axes.plot(results.frame_numbers, np.asarray(means), label=name, linewidth=1)
    if axes.has_data():
        axes.legend()
    else:
        _say(axes, "no ROI is set")


def _azimuthal(axes: Any, results: Results) -> None:
    curve = results.published.azimuthal
    axes.set(title="azimuthal mean", xlabel="q [1/Å]", ylabel="intensity")
    if len(curve.q):
        axes.plot(curve.q, curve.intensity, linewidth=1)
        finite = curve.intensity[np.isfinite(curve.intensity)]
        top = 1.5 * float(np.percentile(finite, _USUAL)) if finite.size else 0.0
        if top > 0 and finite.max() > top:
            # The direct beam would hide all lines.
            axes.set_ylim(0, top)
    else:
        _say(axes, results.published.geometry.reason or "")


def _values(axes: Any, record: ImageRecord) -> None:
    values = record.image if record.valid is None else record.image[record.valid]
    axes.set(title="pixels of the sum", xlabel=f"value [{record.unit}]", ylabel="pixels")
    if values.size and values.max() > values.min():
        counts, edges = np.histogram(values, 200)
        axes.stairs(counts, edges)
        axes.set_yscale("log")


def _image(figure: Figure, axes: Any, record: ImageRecord) -> None:
    counts = record.unit == Unit.COUNTS
    block = max(1, -(-max(record.image.shape) // (_COUNT_BLOCKS if counts else _BLOCKS)))
    sums = _blocks(record, block)
    shape = record.image.shape
    finite = sums[np.isfinite(sums)]
    top = float(np.percentile(finite, 99.8)) if finite.size else 1.0
    extent = (-0.5, shape[1] - 0.5, shape[0] - 0.5, -0.5)
    shown = axes.imshow(
        np.sqrt(np.maximum(sums, 0)), extent=extent, vmin=0, vmax=np.sqrt(max(top, 1e-9))
    )
    label = f"√ of sum over {block}×{block} pixels [{record.unit}]"
    figure.colorbar(shown, label=label, shrink=0.8)
    kind = "clean image" if counts else "sum"
    axes.set(title=f"{kind} of {record.count} frames", xlabel="x [pixel]", ylabel="y [pixel]")


def _blocks(record: ImageRecord, block: int) -> NDArray[np.float64]:
    """Return sums over blocks of pixels; NaN where all of a block is masked."""
    image = record.image.astype(np.float64)
    if record.valid is not None:
        image[~record.valid] = np.nan
    ny, nx = (-(-length // block) for length in image.shape)
    padded = np.full((ny * block, nx * block), np.nan)
    padded[: image.shape[0], : image.shape[1]] = image
    blocks = padded.reshape(ny, block, nx, block)
    sums = np.nansum(blocks, axis=(1, 3))
    sums[np.isnan(blocks).all(axis=(1, 3))] = np.nan
    return sums


def _say(axes: Any, text: str) -> None:
    axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes)
