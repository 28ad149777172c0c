"""What the window tells about what is under the mouse, and about what is looked at."""

import math

import numpy as np
import pytest
from PyQt5 import QtTest
from support.viewer_scans import show_pilatus

pytestmark = [pytest.mark.gui, pytest.mark.slow]

GEOMETRY = {"PhotonEnergy": 13.5, "Distance": 0.131, "BeamX": 210.0, "BeamY": 373.0}


def point(viewer, canvas, position) -> None:
    """Move the mouse there, from somewhere else."""
    from support.viewer import QtCore

    QtTest.QTest.mouseMove(canvas, position + QtCore.QPoint(3, 3))
    viewer.events()
    QtTest.QTest.mouseMove(canvas, position)


def test_the_pixel_under_the_mouse_has_q_angle_and_spacing(viewer, player) -> None:
    player.write(**dict.fromkeys(GEOMETRY, 0.0))
    player.write(GeometryCamera="pilatus")
    show_pilatus(player, viewer)
    readout, plot = viewer.plot.readout, viewer.plot
    point(viewer, plot.canvas, viewer.at(700, 100))
    viewer.wait("a value with its unit", lambda: "TOT" in readout.text())
    assert "q " not in readout.text(), "the geometry is not set"
    player.write(**GEOMETRY)
    link = viewer.window.link
    viewer.wait("it", lambda: all(link.value(name) == value for name, value in GEOMETRY.items()))
    # Values of earlier events may still be shown.
    link.changed.emit(frozenset(GEOMETRY))
    viewer.wait("q", lambda: "q " in readout.text())
    words = readout.text().split()
    x, y = float(words[words.index("x") + 1]), float(words[words.index("y") + 1])
    q, two_theta = float(words[words.index("q") + 1]), float(words[words.index("2θ") + 1][:-1])
    radius = math.hypot(x - 209.5, y - 372.5) * 172e-6
    assert two_theta == pytest.approx(math.degrees(math.atan(radius / 0.131)), rel=0.01)
    wavelength = 12.398419843320026 / 13.5
    expected = 4 * math.pi / wavelength * math.sin(math.radians(two_theta) / 2)
    assert q == pytest.approx(expected, rel=0.001)
    assert float(words[words.index("d") + 1]) == pytest.approx(2 * math.pi / q, rel=0.002)
    lines = readout.text().splitlines()
    metrics = readout.fontMetrics()
    assert max(map(metrics.horizontalAdvance, lines)) <= readout.width()
    assert metrics.lineSpacing() * len(lines) <= readout.height() + 2
    plot.setLimits(200, 220, 360, 380)
    # In the pixel of the beam, angle and q are nearly 0, and the spacing is nearly endless.
    point(viewer, plot.canvas, viewer.at(209.5, 372.5))
    viewer.wait("no spacing", lambda: "d – Å" in readout.text())
    assert max(map(metrics.horizontalAdvance, readout.text().splitlines())) <= readout.width()


def test_curves_tell_their_values_at_the_mouse(viewer, player) -> None:
    player.write(Rois='{"low": {"x": 100, "y": 100, "width": 30, "height": 40}}')
    show_pilatus(player, viewer)
    plot = viewer.window.curves.plot
    viewer.wait("the curve", lambda: len(plot.columns.get("low", ())) == 2)
    axis, values = (np.asarray(plot.columns[name]) for name in list(plot.columns)[:2])
    left, top = plot.dataToPixel(axis[1], values[1])
    from support.viewer import QtCore

    point(viewer, plot.getWidgetHandle(), QtCore.QPoint(round(left), round(top)))
    viewer.wait("its value", lambda: f"low: {values[1]:.5g}" in plot.readout.text())
    assert plot.readout.isVisible()
    assert f"{axis[1]:.6g}" in plot.readout.text()


def test_scan_and_device_are_in_header_and_title(viewer, player) -> None:
    show_pilatus(player, viewer)
    number, header = player.read("ScanNumber"), viewer.window.tools.looked_at
    viewer.wait("the scan", lambda: f"scan {number}: " in header.full_text)
    device = "/".join(player.info["device"].removesuffix("#dbase=no").split("/")[-3:])
    assert player.read("ScanTitle") in header.full_text and device in header.full_text
    title = viewer.window.windowTitle()
    assert title.startswith(f"scan {number}: ") and device in title


def test_the_whole_image_stays_as_large_as_it_can_when_the_window_changes(viewer, player) -> None:
    show_pilatus(player, viewer)
    for width, height in ((1000, 900), (1600, 700), (1000, 900), (1280, 800)):
        viewer.window.resize(width, height)
        viewer.events()

    def seen() -> float:
        view = viewer.plot.view
        return min((view.x_max - view.x_min) / 1475, (view.y_max - view.y_min) / 831)

    viewer.wait("the image from border to border", lambda: seen() < 1.01)
    viewer.plot.setLimits(700, 900, 300, 400)
    viewer.window.resize(1200, 800)
    viewer.events()
    assert seen() < 0.5, "what the user zoomed into stays"
