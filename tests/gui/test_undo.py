"""Own changes can be undone, and what hits others is asked first."""

import pytest
from PyQt5 import QtTest

from pipeline.model.roi import parse_rois

pytestmark = [pytest.mark.gui, pytest.mark.slow]

ROIS = (
    '{"a": {"x": 1, "y": 2, "width": 3, "height": 4}, '
    '"b": {"x": 5, "y": 6, "width": 7, "height": 8}}'
)


def undo(viewer, widget) -> None:
    from support.viewer import QtCore

    QtTest.QTest.keyClick(widget, QtCore.Qt.Key.Key_Z, QtCore.Qt.KeyboardModifier.ControlModifier)


def test_clear_all_asks_and_can_be_undone(open_viewer, device_alone: str) -> None:
    import tango

    device = tango.DeviceProxy(device_alone)
    device.Rois = ROIS
    viewer = open_viewer(device_alone)
    panel = viewer.window.roi_table
    viewer.wait("both", lambda: panel.table.rowCount() == 2)
    viewer.click(panel.clear_button)
    viewer.wait("a question", panel.question.isVisible)
    assert "everybody" in panel.question.text()
    for button in panel.question.buttons():
        if button is not panel._clear:
            viewer.click(button)
    assert len(parse_rois(device.Rois)) == 2, "Cancel clears nothing"
    viewer.click(panel.clear_button)
    viewer.wait("the question again", panel.question.isVisible)
    viewer.click(panel._clear)
    viewer.wait("no ROI", lambda: not parse_rois(device.Rois))
    viewer.wait("it in the table", lambda: not panel.table.rowCount())
    # What others do meanwhile stays.
    device.AddRoi('{"name": "c", "x": 0, "y": 0, "width": 1, "height": 1}')
    viewer.wait("the other's ROI", lambda: panel.table.rowCount() == 1)
    undo(viewer, viewer.window)
    viewer.wait("all", lambda: list(parse_rois(device.Rois)) == ["a", "b", "c"])
    assert {n: parse_rois(device.Rois)[n] for n in "ab"} == parse_rois(ROIS)


def test_a_typed_number_is_undone_unless_another_client_changed_it(
    open_viewer, device_alone: str
) -> None:
    import tango

    device = tango.DeviceProxy(device_alone)
    device.Distance = 0.5
    viewer = open_viewer(device_alone)
    field = viewer.window.geometry_panel.form.fields["Distance"]
    viewer.wait("the value", lambda: field.value() == 0.5)
    viewer.enter(field, "0,131")
    viewer.wait("the new one", lambda: device.Distance == 0.131)
    viewer.wait("the answer", lambda: not viewer.window.link.is_pending("Distance"))
    undo(viewer, field)
    viewer.wait("the old one", lambda: device.Distance == 0.5)
    viewer.wait("it in the field", lambda: field.value() == 0.5)
    viewer.enter(field, "0.2")
    viewer.wait("the new one", lambda: device.Distance == 0.2)
    device.Distance = 0.3
    viewer.wait("it in the field", lambda: field.value() == 0.3)
    undo(viewer, field)
    viewer.wait("why not", lambda: "somebody else" in viewer.error_line)
    assert device.Distance == 0.3
