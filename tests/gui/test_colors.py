"""Colours that everybody can tell apart, and a colour scale with typed limits."""

import itertools

import numpy as np
import pytest
from PyQt5 import QtTest
from support.viewer_scans import show_pilatus

pytestmark = [pytest.mark.gui, pytest.mark.slow]

_BLIND = {
    "protan": [[0.112, 0.888, 0.0], [0.112, 0.888, 0.0], [0.004, -0.004, 1.0]],
    "deutan": [[0.292, 0.708, 0.0], [0.292, 0.708, 0.0], [-0.022, 0.022, 1.0]],
}
"""Viénot, Brettel and Mollon 1999: what a colour looks like, in linear RGB."""


def seen(color: str, kind: str) -> np.ndarray:
    """Return a colour as a colour-blind person sees it, 0 … 1."""
    rgb = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.clip(np.array(_BLIND[kind]) @ rgb**2.2, 0, 1)
    return linear ** (1 / 2.2)


@pytest.mark.parametrize("kind", list(_BLIND))
@pytest.mark.parametrize("of", ["roi_color", "ring_color"])
def test_the_first_colors_are_told_apart_by_everybody(of: str, kind: str) -> None:
    from femtotango.gui.plots import colors

    first = [seen(getattr(colors, of)(index), kind) for index in range(5)]
    for one, other in itertools.combinations(first, 2):
        assert np.abs(one - other).max() > 0.12
    assert colors.roi_color(0) != colors.ring_color(0)


def enter(viewer, field, text: str) -> None:
    from support.viewer import QtCore

    field.setFocus()
    field.selectAll()
    QtTest.QTest.keyClicks(field, text)
    QtTest.QTest.keyClick(field, QtCore.Qt.Key.Key_Return)


def test_limits_are_typed_refused_and_automatic_again(viewer, player) -> None:
    from support.viewer import QtCore

    show_pilatus(player, viewer)
    limits, colormap = viewer.plot.limits, viewer.plot.shown.getColormap()
    automatic = colormap.getColormapRange(viewer.plot.shown)
    assert limits.auto.isChecked()
    viewer.wait("the automatic limits", lambda: limits.high.text() == f"{automatic[1]:.4g}")
    enter(viewer, limits.high, "1234,5")
    assert colormap.getVRange() == (None, 1234.5)
    enter(viewer, limits.low, "-3")
    assert colormap.getVRange() == (-3.0, 1234.5)
    assert not limits.auto.isChecked()
    enter(viewer, limits.low, "2000")
    assert "must be below" in viewer.error_line and limits.low.styleSheet()
    assert colormap.getVRange() == (-3.0, 1234.5)
    QtTest.QTest.keyClick(limits.low, QtCore.Qt.Key.Key_Escape)
    limits.refresh()
    assert limits.low.text() == "-3" and not limits.low.styleSheet()
    viewer.click(limits.auto)
    assert colormap.isAutoscale() and limits.auto.isChecked()
    assert limits.high.text() == f"{automatic[1]:.4g}"


def test_a_few_photons_have_a_colour_scale(screen) -> None:
    import support.viewer  # noqa: F401 - imports silx without its warnings

    from femtotango.gui.plots.image_colors import ImageColors

    colors = ImageColors("viridis", autoscaleMode=ImageColors.PERCENTILE)
    image = np.zeros((100, 100), np.float32)
    image[5, 5] = 2
    assert colors._computeAutoscaleRange(image) == (0, 2)
    assert colors._computeAutoscaleRange(np.zeros((9, 9), np.float32)) == (0, 0)
    spread = np.arange(1000, dtype=np.float32)
    low, high = colors._computeAutoscaleRange(spread)
    assert 0 < low < 20 and 980 < high < 999, "without the extremes"


def test_a_white_ring_has_a_line_that_is_seen_on_white() -> None:
    from femtotango.gui.plots.colors import line_color, ring_color
    from femtotango.gui.plots.theme import DARK, LIGHT

    white = next(index for index in range(10) if ring_color(index) == LIGHT.background)
    assert line_color(white, LIGHT.background) != LIGHT.background
    assert line_color(white, DARK.background) == ring_color(white)
    assert line_color(white + 1, LIGHT.background) == ring_color(white + 1)
