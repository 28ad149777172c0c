"""The window comes back as it was left."""

from pathlib import Path

import pytest

pytestmark = [pytest.mark.gui, pytest.mark.slow]


def test_size_borders_tab_and_rings_are_remembered(
    open_viewer, device_alone: str, tmp_path: Path
) -> None:
    from support.viewer import QtCore

    from femtotango.gui.window import ViewerWindow

    file = str(tmp_path / "viewer.ini")
    settings = QtCore.QSettings(file, QtCore.QSettings.Format.IniFormat)
    viewer = open_viewer(device_alone)
    first = ViewerWindow(device_alone, settings)
    first.resize(1100, 750)
    first.show()
    viewer.wait("it", first.isVisible)
    across = first._layout._splitters["across"]
    across.setSizes([300, 500, 300])
    viewer.wait("the borders", lambda: abs(across.sizes()[0] - 300) < 20)
    sizes = across.sizes()
    first.tabs.setCurrentWidget(first.azimuthal)
    first.geometry_panel.rings.choices["labels"].trigger()
    first.close()
    again = ViewerWindow(device_alone, QtCore.QSettings(file, QtCore.QSettings.Format.IniFormat))
    again.show()
    viewer.wait("it", again.isVisible)
    try:
        assert (again.width(), again.height()) == (1100, 750)
        assert again._layout._splitters["across"].sizes() == sizes
        assert again.tabs.currentWidget() is again.azimuthal
        assert again.image.rings._style.labels
    finally:
        again.close()
        for window in (first, again):
            window.deleteLater()
