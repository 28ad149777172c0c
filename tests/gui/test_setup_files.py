"""Setups from the Files menu: saved, loaded, refused as a whole, undone as a whole."""

import json

import pytest
import tango
from PyQt5 import QtTest

from femtotango.setup_file import load_setup, read_setup

pytestmark = [pytest.mark.gui, pytest.mark.slow]

ROIS = '{"ring": {"x": 1, "y": 2, "width": 3, "height": 4}}'


def choose(viewer, action: str, file) -> None:
    """Choose an entry of the menu, and type a file."""
    from support.viewer import QtCore, QtWidgets

    tools = viewer.window.tools
    (entry,) = [a for a in tools.files.menu().actions() if a.text().startswith(action)]
    entry.trigger()
    dialog = viewer.wait(
        "a dialog",
        lambda: next((d for d in tools.findChildren(QtWidgets.QFileDialog) if d.isVisible()), None),
    )
    edit = viewer.file_line(dialog)
    edit.setText(str(file))
    QtTest.QTest.keyClick(edit, QtCore.Qt.Key.Key_Return)
    viewer.wait("the dialog to close", lambda: not dialog.isVisible())


def test_a_setup_is_saved_loaded_and_undone(open_viewer, device_alone: str, tmp_path) -> None:
    from support.viewer import QtCore

    device = tango.DeviceProxy(device_alone)
    device.Distance, device.PhotonEnergy = 0.131, 13.5
    device.QValues, device.Rois = [1.51, 2.14], ROIS
    saved = read_setup(device)
    viewer = open_viewer(device_alone)
    choose(viewer, "Save setup", tmp_path / "lab6")
    file = tmp_path / "lab6.json"
    viewer.wait("the file", file.exists)
    viewer.wait("that it is told", lambda: "1 ROI" in viewer.error_line)
    assert load_setup(file) == saved

    device.Distance, device.Rois, device.QValues = 0.2, "{}", [3.0]
    changed = read_setup(device)
    choose(viewer, "Load setup", file)
    viewer.wait("the setup", lambda: read_setup(device) == saved)
    viewer.wait("that it is told", lambda: "Loaded" in viewer.error_line)
    table = viewer.window.roi_table.table
    viewer.wait("its ROI in the table", lambda: table.rowCount() == 1)
    field = viewer.window.geometry_panel.form.fields["Distance"]
    viewer.wait("its distance", lambda: field.value() == 0.131)
    control = QtCore.Qt.KeyboardModifier.ControlModifier
    QtTest.QTest.keyClick(table, QtCore.Qt.Key.Key_Z, control)
    viewer.wait("the setup of before", lambda: read_setup(device) == changed)

    content = json.loads(file.read_text())
    content["geometry"]["distance"] = -1
    file.write_text(json.dumps(content))
    choose(viewer, "Load setup", file)
    viewer.wait("why not", lambda: "distance = -1: expected 0" in viewer.error_line)
    assert read_setup(device) == changed
