"""The recorded LaB6 scan behind a device without database: rings lie on the diffraction rings."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.lab6 import GEOMETRY, lines
from support.recordings import Recording

from femtotango.stack.running import running
from femtotango.stack.tango_client import connect

pytestmark = [pytest.mark.gui, pytest.mark.slow, pytest.mark.timeout(180)]

FRAMES, STEPS = 30, 5
WIDTH = 2
"""Pixels around a ring's curve that count as on it."""


@pytest.fixture(scope="module")
def replayed(lab6: Recording, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Run `femtotango replay` with the recorded streams, accumulated, with their geometry."""
    values = {"accumulate": True, **GEOMETRY}
    parameters: Path = tmp_path_factory.mktemp("replay") / "parameters.json"
    parameters.write_text(json.dumps([{"name": n, "data": str(v)} for n, v in values.items()]))
    with running(["replay", *lab6.files, "-p", str(parameters), "--keep-alive"]) as info:
        connect(info["device"]).QValues = lines(number=5)
        yield info


def near(curve: np.ndarray, shape: tuple[int, int], width: int) -> np.ndarray:
    """Return a mask of the pixels near a curve's points."""
    mask = np.zeros(shape, bool)
    for y, x in np.round(curve[~np.isnan(curve[:, 0])]).astype(int):
        mask[max(0, y - width) : y + width + 1, max(0, x - width) : x + width + 1] = True
    return mask


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080)])
def test_rings_are_on_the_diffraction_rings(
    open_viewer, replayed: dict[str, Any], size: tuple[int, int], tmp_path: Path
) -> None:
    device = replayed["device"]
    assert device.endswith("#dbase=no")
    viewer = open_viewer(device, size)
    viewer.wait("the sum", lambda: f"sum of {FRAMES} frames" in viewer.title, 60)
    curves = viewer.window.image.rings.curves
    viewer.wait("rings", lambda: len(viewer.window.image.rings.curves) == 5)
    curves = viewer.window.image.rings.curves
    image = connect(device).AccumulatedImage
    for curve in curves:
        on, around = near(curve, image.shape, WIDTH), near(curve, image.shape, 6 * WIDTH)
        assert np.nanmean(image[on]) > 1.4 * np.nanmean(image[around & ~on])
    plot = viewer.window.curves.plot
    connect(device).Rois = '{"ring": {"x": 430, "y": 330, "width": 40, "height": 70}}'
    viewer.wait("the ROI", lambda: viewer.window.roi_table.table.rowCount() == 1)
    assert plot.isVisible()
    check_layout(viewer, size)
    picture = tmp_path / "viewer.png"
    assert viewer.window.grab().save(str(picture))


def check_layout(viewer, size: tuple[int, int]) -> None:
    """The image is the largest thing, everything is inside the window, no text is cut."""
    window = viewer.window
    viewer.wait("the size", lambda: (window.width(), window.height()) == size)
    parts = [window.geometry_panel, window.roi_table, window.settings, window.tabs, window.tools]
    area = window.image.width() * window.image.height()
    assert all(area > part.width() * part.height() for part in parts)
    assert area > 0.35 * size[0] * size[1]
    try:
        viewer.wait("a settled layout", lambda: not cut_off(window))
    except TimeoutError:
        assert cut_off(window) == []


def cut_off(window) -> list[str]:
    """Return the texts that the user cannot read in full."""
    from support.viewer import QtCore, QtWidgets, children_of

    inside = QtCore.QRect(QtCore.QPoint(0, 0), window.size())
    texts = (QtWidgets.QPushButton, QtWidgets.QLabel, QtWidgets.QLineEdit)
    found = []
    for widget in (child for kind in texts for child in children_of(window, kind)):
        if not widget.isVisible() or widget.window() is not window:
            continue
        text = widget.text()
        corner = widget.mapTo(window, QtCore.QPoint(0, 0))
        whole = inside.contains(QtCore.QRect(corner, widget.size()))
        if isinstance(widget, QtWidgets.QLabel) and widget.wordWrap():
            whole &= widget.height() >= widget.heightForWidth(widget.width())
        elif not text.startswith("<"):
            lines = text.split("\n")
            whole &= widget.width() >= max(map(widget.fontMetrics().horizontalAdvance, lines))
        if not whole:
            found.append(text)
    return found
