"""What the window says about photons, errors and the colour scale."""

import pytest
from support.viewer_scans import play_pilatus, show_pilatus

pytestmark = [pytest.mark.gui, pytest.mark.slow]


def test_the_scale_box_and_the_colour_dialog_agree(viewer, player) -> None:
    from silx.gui.colors import Colormap

    show_pilatus(player, viewer)
    box, plot = viewer.window.tools.scale, viewer.plot
    # The colour dialog changes the colormap itself.
    colormap = plot.shown.getColormap()
    colormap.setNormalization(Colormap.LOGARITHM)
    assert box.currentText() == "log"
    colormap.setNormalization(Colormap.LINEAR)
    assert box.currentText() == "linear"
    box.textActivated.emit("log")
    assert plot.normalization == "log" and box.currentText() == "log"


def test_a_camera_without_photons_is_no_warning(viewer, player) -> None:
    show_pilatus(player, viewer)
    trust = viewer.window.settings.state.trust
    viewer.wait("its words", lambda: trust.text() == "No photon detection with this camera.")
    assert not trust.styleSheet()


def test_trust_and_raw_data_are_told_apart(screen) -> None:
    import support.viewer  # noqa: F401 - imports Taurus without its warnings

    from femtotango.gui.panels.settings import trust_text

    unwritten = "Photons are trusted but not written: switch WritePhotons on."
    assert trust_text(True, unwritten, True, True)[0] == unwritten
    assert trust_text(True, "", True, True)[0] == "Photons are trusted."
    assert trust_text(False, "Too many.", True, True)[0] == "Photons are not trusted: Too many."
    # Nobody asked for photons: that is no warning.
    words, color = trust_text(False, "No photon detection in this scan.", True, False)
    assert words == "No photon detection: draw a photon ROI." and not color


def test_an_error_ends_with_the_next_scan(viewer, player) -> None:
    viewer.wait("the line", lambda: viewer.window.link.connected)
    viewer.window.link.failed.emit("something of before")
    assert "of before" in viewer.error_line
    play_pilatus(player)
    viewer.wait("no old error", lambda: not viewer.error_line)
    scan = viewer.window.status_line.scan
    viewer.wait("the frames", lambda: "6 frames" in scan.text())
    viewer.wait("no share", lambda: "%" not in scan.text())


def test_an_error_of_the_device_is_told_once(viewer, player) -> None:
    line = viewer.window.status_line
    viewer.wait("the first look", lambda: line._last_error is not None)
    line.clear_error()
    line._show_last_error("the disk is full")
    assert "the disk is full" in viewer.error_line
    line.clear_error()
    # After a reconnection every value is shown again.
    line._show_last_error("the disk is full")
    assert not viewer.error_line
    line._show_last_error("the disk is full again")
    assert "again" in viewer.error_line
    line.show_message("Saved a file.")
    assert line._message_ends.isActive()
    assert line.status.isVisible()
    line.show_error("Scan 5 was given up because " + "one part after the other " * 6)
    assert not line.status.isVisible(), "the error has its room"
    assert line.state.toolTip() == line.status.toolTip()
    short = line.scan.text()
    line.clear_error()
    assert line.status.isVisible()
    assert len(short) < len(line.scan.text()), "what is told of the scan gives way too"
