"""Geometry and q values: what is typed is at the device, and the rings follow."""

import numpy as np
import pytest
from support.viewer_scans import show_pilatus

pytestmark = [pytest.mark.gui, pytest.mark.slow]

LAB6 = (1.51, 2.14, 2.62)
GEOMETRY = {"PhotonEnergy": 13.5, "Distance": 0.131, "BeamX": 210.0, "BeamY": 373.0}


def rings(viewer) -> list[np.ndarray]:
    return viewer.window.image.rings.curves


def radius(curve: np.ndarray) -> float:
    """Return the largest distance from the beam, which is at pixel corners."""
    y, x = GEOMETRY["BeamY"] - 0.5, GEOMETRY["BeamX"] - 0.5
    return float(np.nanmax(np.hypot(curve[:, 0] - y, curve[:, 1] - x)))


def expected(q: float, distance: float) -> float:
    """Return a ring's radius [pixel] on a detector without tilt."""
    wavelength = 12.398419843320026 / GEOMETRY["PhotonEnergy"]
    two_theta = 2 * np.arcsin(q * wavelength / (4 * np.pi))
    return distance * np.tan(two_theta) / 172e-6


def test_rings_are_where_the_detector_sees_them_and_follow_the_distance(viewer, player) -> None:
    show_pilatus(player, viewer)
    player.write(**GEOMETRY, QValues=LAB6)
    viewer.wait("three rings", lambda: len(rings(viewer)) == 3 and all(map(len, rings(viewer))))
    for q, curve in zip(LAB6, rings(viewer), strict=True):
        assert radius(curve) == pytest.approx(expected(q, 0.131), abs=0.1)
    field = viewer.window.geometry_panel.form.fields["Distance"]
    viewer.wait("the distance in its field", lambda: field.value() == 0.131)
    viewer.enter(field, "0.1")
    viewer.wait("the distance at the device", lambda: player.read("Distance") == 0.1)
    viewer.wait(
        "smaller rings",
        lambda: radius(rings(viewer)[0]) == pytest.approx(expected(1.51, 0.1), abs=0.1),
    )
    assert viewer.window.image.rings.pieces_drawn >= 3


def test_geometry_changed_elsewhere_appears_and_moves_the_rings(viewer, player) -> None:
    show_pilatus(player, viewer)
    player.write(**GEOMETRY, QValues=LAB6[:1])
    viewer.wait("a ring", lambda: rings(viewer) and len(rings(viewer)[0]))
    before = rings(viewer)[0].copy()
    player.write(BeamX=230.0)
    field = viewer.window.geometry_panel.form.fields["BeamX"]
    viewer.wait("the new centre", lambda: field.value() == 230.0)
    viewer.wait(
        "a moved ring",
        lambda: (
            np.nanmax(rings(viewer)[0][:, 1])
            == pytest.approx(np.nanmax(before[:, 1]) + 20, abs=0.1)
        ),
    )


def test_a_value_that_the_device_refuses_is_an_error_line_and_the_old_one_shows(
    viewer, player
) -> None:
    player.write(**GEOMETRY)
    field = viewer.window.geometry_panel.form.fields["Distance"]
    viewer.wait("the field", lambda: field.value() == 0.131)
    # Nobody can type it.
    viewer.window.link.write("Distance", -1.0)
    viewer.wait("an error line", lambda: "Distance" in viewer.error_line)
    viewer.wait("the old value", lambda: field.value() == 0.131)
    assert player.read("Distance") == 0.131


def test_q_values_are_typed_changed_and_deleted_in_their_table(viewer, player) -> None:
    from taurus.external.qt import QtCore

    table = viewer.window.geometry_panel.q_table.table
    viewer.wait("the empty line", lambda: table.rowCount() == 1)
    viewer.enter_cell(table, 0, 0, "1.51")
    viewer.wait("one q", lambda: list(player.read("QValues")) == [1.51])
    viewer.wait("its line", lambda: table.rowCount() == 2)
    viewer.enter_cell(table, 1, 0, "2,14")
    viewer.wait("two", lambda: list(player.read("QValues")) == [1.51, 2.14])
    viewer.wait("two lines", lambda: table.rowCount() == 3)
    editor = viewer.type_cell(table, 0, 0, "-3")
    viewer.wait("an error line", lambda: "above 0" in viewer.error_line)
    assert editor.isVisible() and editor.text() == "-3"
    viewer.press(editor, QtCore.Qt.Key.Key_Escape)
    viewer.wait("the old value", lambda: table.item(0, 0).text() == "1.51")
    table.setCurrentCell(0, 0)
    viewer.press(table, QtCore.Qt.Key.Key_Delete)
    viewer.wait("one left", lambda: list(player.read("QValues")) == [2.14])
    viewer.wait("its line alone", lambda: table.rowCount() == 2)
    viewer.enter_cell(table, 0, 0, "")
    viewer.wait("none left", lambda: not len(player.read("QValues")))


def test_a_calibrant_gives_its_lines(viewer, player) -> None:
    show_pilatus(player, viewer)
    player.write(**GEOMETRY)
    panel = viewer.window.geometry_panel.q_table
    panel.calibrant.setEditText("LaB6")
    viewer.click(panel.use_button)
    lines = viewer.wait("q values", lambda: list(player.read("QValues")))
    # a = 4.1569 Å: the first line is 2 pi / a
    assert lines[0] == pytest.approx(2 * np.pi / 4.1569, abs=0.002)
    viewer.wait("as many rings", lambda: len(rings(viewer)) == len(lines))


def test_the_beam_centre_is_picked_in_the_image(viewer, player) -> None:
    show_pilatus(player, viewer)
    viewer.click(viewer.window.geometry_panel.pick_button)
    viewer.click_image(700, 400)
    # Fit2D counts from the corner of the first pixel, half a pixel before its centre.
    viewer.wait("the centre", lambda: player.read("BeamX") == pytest.approx(700.5, abs=6))
    viewer.wait("the centre", lambda: player.read("BeamY") == pytest.approx(400.5, abs=6))


def test_missing_geometry_is_explained_beside_the_q_values(viewer, player) -> None:
    show_pilatus(player, viewer)
    player.write(QValues=LAB6)
    hint = viewer.window.geometry_panel.hint
    viewer.wait("a hint", lambda: hint.isVisible() and "energy" in hint.text().lower())
    player.write(**GEOMETRY)
    viewer.wait("no hint", lambda: not hint.isVisible())
