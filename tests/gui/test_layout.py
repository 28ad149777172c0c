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


def test_a_new_window_fits_its_screen(screen) -> None:
    from types import SimpleNamespace

    from support.viewer import QtCore

    from femtotango.gui.window import first_size

    for width, height in ((1280, 800), (1024, 700), (3840, 2160)):
        there = QtCore.QSize(width, height)
        size = first_size(SimpleNamespace(availableSize=lambda there=there: there))
        assert size.width() <= width and size.height() <= height - 25, "the title bar has room"
    assert first_size(None) == QtCore.QSize(1280, 800)


def test_nothing_moves_or_overlaps_when_texts_and_widths_change(
    open_viewer, device_alone: str
) -> None:
    from support.viewer import QtCore

    viewer = open_viewer(device_alone)
    state = viewer.window.settings.state
    before = state.save_raw.mapTo(viewer.window, QtCore.QPoint(0, 0))
    state.trust.setText("Photons are trusted but not written, for a reason. " * 5)
    state.counts.setText("1 photon. " * 20)
    viewer.events()
    assert state.save_raw.mapTo(viewer.window, QtCore.QPoint(0, 0)) == before
    histogram = viewer.window.histogram
    viewer.window.tabs.setCurrentWidget(histogram)
    for width, named in ((1280, True), (1024, False), (1280, True)):
        viewer.window.resize(width, 800)
        viewer.wait("its width", lambda named=named: (histogram.width() > 600) == named)
        assert all(bool(line.getText()) == named for line in histogram.lines.values())


def test_a_device_that_never_answered_has_no_numbers(open_viewer, device_alone: str) -> None:
    # Qt draws no field without an application, which a window brings.
    open_viewer(device_alone)
    from femtotango.gui.panels.number_field import NumberField

    for attribute in ("Distance", "HotPixelRatio"):
        field = NumberField(attribute, 1.0)
        assert field.text().startswith("–")
        field.show_value(0.25)
        assert field.text().startswith("0.25")
    field = NumberField("Distance", 1.0)
    field.show_value(0.0)
    assert field.text() == "not set"
