"""ROIs go from the mouse to the device, and from the device to the screen."""

import json
from dataclasses import replace

import numpy as np
import pytest
from support.viewer_scans import play_pilatus, show_pilatus

from pipeline.model.roi import Roi, parse_rois
from pipeline.simulation.scan import BurstScan

pytestmark = [pytest.mark.gui, pytest.mark.slow]

BALOR = "andor3_balor"
BETWEEN_PIXELS = 6
"""A screen pixel is up to 3 image pixels wide, and a drag has two ends."""


def rois_of(player) -> dict[str, Roi]:
    """Return the places of the ROIs, whatever camera they are of."""
    rois = parse_rois(player.read("Rois"))
    return {name: replace(roi, camera="") for name, roi in rois.items()}


def drawn(viewer, name: str) -> Roi | None:
    from femtotango.gui.plots.roi_overlay import roi_of

    shape = viewer.window.image.rois.shape(name)
    return roi_of(shape) if shape is not None else None


def test_a_drawn_roi_is_in_the_device(viewer, player) -> None:
    show_pilatus(player, viewer)
    viewer.click(viewer.window.roi_table.draw_button)
    viewer.drag((1000, 100), (1200, 250))
    viewer.wait("the ROI at the device", lambda: "ROI 1" in rois_of(player))
    roi = rois_of(player)["ROI 1"]
    assert abs(roi.x - 1000) <= BETWEEN_PIXELS and abs(roi.y - 100) <= BETWEEN_PIXELS
    assert abs(roi.width - 200) <= BETWEEN_PIXELS and abs(roi.height - 150) <= BETWEEN_PIXELS
    viewer.wait("whole pixels on the screen", lambda: drawn(viewer, "ROI 1") == roi)
    assert not viewer.window.roi_table.draw_button.isChecked()
    viewer.wait("its line chosen", lambda: viewer.window.roi_table.chosen == "ROI 1")


def test_a_roi_moves_and_grows_with_the_mouse(viewer, player) -> None:
    show_pilatus(player, viewer)
    player.write(Rois='{"spot": {"x": 600, "y": 300, "width": 200, "height": 100}}')
    viewer.wait("the ROI", lambda: drawn(viewer, "spot"))
    viewer.drag((699.5, 349.5), (799.5, 449.5))
    viewer.wait("a moved ROI", lambda: abs(rois_of(player)["spot"].x - 700) <= BETWEEN_PIXELS)
    moved = rois_of(player)["spot"]
    assert abs(moved.y - 400) <= BETWEEN_PIXELS and (moved.width, moved.height) == (200, 100)
    viewer.wait("its drawing", lambda: drawn(viewer, "spot") == moved)
    right, top = moved.x + moved.width - 0.5, moved.y + moved.height - 0.5
    viewer.drag((right, top), (right + 100, top + 60))
    viewer.wait("a larger ROI", lambda: rois_of(player)["spot"].width > 250)
    grown = rois_of(player)["spot"]
    assert (grown.x, grown.y) == (moved.x, moved.y)
    assert abs(grown.width - 300) <= BETWEEN_PIXELS and abs(grown.height - 160) <= BETWEEN_PIXELS


def test_rois_written_elsewhere_are_drawn(viewer, player) -> None:
    show_pilatus(player, viewer)
    player.write(Rois='{"a b": {"x": 10, "y": 20, "width": 30, "height": 40}}')
    viewer.wait("the ROI", lambda: drawn(viewer, "a b") == Roi(10, 20, 30, 40))
    shape = viewer.window.image.rois.shape("a b")
    assert tuple(shape.getOrigin()) == (9.5, 19.5)
    table = viewer.window.roi_table.table
    assert [table.item(0, n).text() for n in range(5)] == ["a b", "10", "20", "30", "40"]
    play_pilatus(player)
    viewer.wait("its mean", lambda: table.item(0, 5).text() not in ("", "–"))
    assert float(table.item(0, 5).text()) == pytest.approx(player.read("RoiMeans")[0], rel=1e-2)
    player.device.AddRoi(json.dumps({"name": "2", "x": 0, "y": 0, "width": 5, "height": 5}))
    viewer.wait("the second", lambda: drawn(viewer, "2") == Roi(0, 0, 5, 5))
    player.device.ClearRois()
    viewer.wait("no ROI", lambda: not table.rowCount() and drawn(viewer, "2") is None)


def test_the_table_renames_changes_and_deletes(viewer, player) -> None:
    from taurus.external.qt import QtCore

    table = viewer.window.roi_table.table
    player.write(
        Rois='{"a": {"x": 1, "y": 2, "width": 3, "height": 4}, '
        '"b": {"x": 5, "y": 6, "width": 7, "height": 8}}'
    )
    viewer.wait("both", lambda: table.rowCount() == 2)
    viewer.enter_cell(table, 0, 0, "peak")
    viewer.wait("a new name in the old place", lambda: list(rois_of(player)) == ["peak", "b"])
    assert rois_of(player)["peak"] == Roi(1, 2, 3, 4)
    viewer.wait("the new name", lambda: table.item(0, 0).text() == "peak")
    viewer.enter_cell(table, 1, 3, "70")
    viewer.wait("a new width", lambda: rois_of(player)["b"] == Roi(5, 6, 70, 8))
    viewer.wait("it drawn", lambda: drawn(viewer, "b") == Roi(5, 6, 70, 8))
    table.selectRow(0)
    viewer.press(table, QtCore.Qt.Key.Key_Delete)
    viewer.wait("one less", lambda: list(rois_of(player)) == ["b"])
    viewer.wait("one drawn", lambda: table.rowCount() == 1 and drawn(viewer, "peak") is None)


@pytest.mark.parametrize(
    ("column", "text", "part"),
    [(0, 'a"b', "quotes"), (0, "b", "taken"), (1, "left", "number"), (3, "0", "at least 1")],
)
def test_what_cannot_be_turns_the_cell_red_and_the_old_value_stays(
    viewer, player, column: int, text: str, part: str
) -> None:
    from support.viewer import QtCore

    from femtotango.gui.plots.colors import REFUSED

    table = viewer.window.roi_table.table
    before = (
        '{"a": {"x": 1, "y": 2, "width": 3, "height": 4}, '
        '"b": {"x": 5, "y": 6, "width": 7, "height": 8}}'
    )
    player.write(Rois=before)
    viewer.wait("both", lambda: table.rowCount() == 2)
    shown = table.item(0, column).text()
    editor = viewer.type_cell(table, 0, column, text)
    viewer.wait("an error line", lambda: part in viewer.error_line)
    assert editor.isVisible() and editor.styleSheet() == REFUSED and part in editor.toolTip()
    viewer.press(editor, QtCore.Qt.Key.Key_Escape)
    viewer.wait("the old text", lambda: table.item(0, column).text() == shown)
    assert rois_of(player) == parse_rois(before)
    viewer.click(viewer.window.status_line.dismiss)
    assert viewer.error_line == ""


def test_the_photon_roi_has_its_own_colour_and_button(viewer, player) -> None:
    from femtotango.gui.plots.colors import PHOTON_ROI
    from femtotango.gui.plots.roi_overlay import PHOTONS

    button = viewer.window.roi_table.photon_button
    scan = BurstScan(steps=1, burst=1)
    player.prepare(BALOR, scan)
    player.play(BALOR, [np.full((700, 900), 100, np.uint16)], scan)
    viewer.wait("the Balor", lambda: viewer.plot.image_shape == (700, 900))
    viewer.click(button)
    viewer.drag((200, 200), (500, 600))
    text = viewer.wait("the photon ROI", lambda: player.read("PhotonRoi"))
    roi = Roi(**json.loads(text))
    assert np.allclose(
        (roi.x, roi.y, roi.width, roi.height), (200, 200, 300, 400), atol=BETWEEN_PIXELS
    )
    assert rois_of(player) == {}
    viewer.wait("it drawn", lambda: drawn(viewer, PHOTONS) == roi)
    shape = viewer.window.image.rois.shape(PHOTONS)
    assert shape.getColor().name() == PHOTON_ROI
    show_pilatus(player, viewer)
    viewer.wait("no photon ROI on another camera", lambda: drawn(viewer, PHOTONS) is None)
    assert not button.isEnabled()
    viewer.click(viewer.window.roi_table.photons_off)
    viewer.wait("no photon ROI", lambda: player.read("PhotonRoi") == "")
    viewer.wait("nothing drawn", lambda: drawn(viewer, PHOTONS) is None)
