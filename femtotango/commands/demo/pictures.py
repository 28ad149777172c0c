"""Pictures of results, as PNG files, without a display."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

_BLOCK = 3


def save_image(
    path: Path, image: NDArray[Any], title: str, rings: Sequence[NDArray[np.float64]] = ()
) -> None:
    """Draw an image with few photons: sums over blocks of pixels, on a square root scale.

    Args:
        path: of the PNG.
        image: ``(ny, nx)``, masked pixels NaN.
        title: above it.
        rings: curves ``(n, 2)`` of ``(y, x)`` [pixel], NaN between branches.
    """
    ny, nx = (n // _BLOCK * _BLOCK for n in image.shape)
    blocks = image[:ny, :nx].reshape(ny // _BLOCK, _BLOCK, nx // _BLOCK, _BLOCK)
    sums = np.nansum(blocks, axis=(1, 3))
    sums[np.isnan(blocks).all(axis=(1, 3))] = np.nan
    figure, axes = _figure(10, 6.2)
    extent = (-0.5, nx - 0.5, ny - 0.5, -0.5)
    shown = axes.imshow(
        np.sqrt(sums), extent=extent, cmap="viridis", vmax=np.sqrt(np.nanpercentile(sums, 99.8))
    )
    figure.colorbar(shown, label=f"√ of sum over {_BLOCK}×{_BLOCK} pixels", shrink=0.7)
    for ring in rings:
        axes.plot(ring[:, 1], ring[:, 0], "w:", linewidth=0.8, alpha=0.8)
    axes.set(title=title, xlabel="x [pixel]", ylabel="y [pixel]", xlim=extent[:2], ylim=extent[2:])
    figure.savefig(path)


def save_curves(
    path: Path,
    x: NDArray[Any],
    curves: Sequence[tuple[str, NDArray[Any], NDArray[Any] | None]],
    labels: tuple[str, str],
    title: str,
    vertical: Sequence[tuple[float, str]] = (),
    dotted: Sequence[float] | NDArray[np.float64] = (),
) -> None:
    """Draw curves over one axis.

    Args:
        path: of the PNG.
        x: ``(n,)``.
        curves: name, values ``(n,)`` and errors ``(n,)``, or None for a plain line.
        labels: of both axes.
        title: above it.
        vertical: positions and names of vertical lines.
        dotted: positions of vertical lines without name.
    """
    figure, axes = _figure(8, 5)
    for name, values, errors in curves:
        if errors is None:
            axes.plot(x, values, label=name, linewidth=1)
        else:
            axes.errorbar(x, values, errors, fmt="o-", capsize=3, label=name)
    for number, (position, name) in enumerate(vertical):
        axes.axvline(position, color=f"C{number + 1}", linestyle="--", label=name)
    for position in dotted:
        axes.axvline(position, color="grey", linestyle=":", linewidth=0.8)
    axes.set(title=title, xlabel=labels[0], ylabel=labels[1])
    axes.legend()
    figure.savefig(path)


def _figure(width: float, height: float) -> tuple[Figure, Any]:
    figure = Figure(figsize=(width, height), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()
