"""Ways of looking at the image: per frame, difference, profile, rings, age, dark windows."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.viewer_scans import play_pilatus, show_pilatus

pytestmark = [pytest.mark.gui, pytest.mark.slow]

GEOMETRY = {"PhotonEnergy": 13.5, "Distance": 0.131, "BeamX": 210.0, "BeamY": 373.0}


def shown(viewer) -> np.ndarray:
    return viewer.plot.shown.getData(copy=False)


def test_values_per_frame_and_the_difference_to_a_kept_image(viewer, player) -> None:
    show_pilatus(player, viewer)
    view, plot = viewer.window.image.view_menu, viewer.plot
    preview = player.read("PreviewImage")
    viewer.wait("the sum", lambda: np.array_equal(shown(viewer), preview, equal_nan=True))
    view.per_frame.trigger()
    np.testing.assert_allclose(shown(viewer), preview / 6, rtol=1e-6)
    hottest = f"hottest {player.read('ImageMax') / 6:.4g} TOT per frame"
    assert hottest in viewer.title
    viewer.click_image(700, 100)
    viewer.wait("its unit", lambda: "TOT/frame" in plot.readout.text())
    view.per_frame.trigger()
    assert not view.difference.isEnabled()
    view.keep_action.trigger()
    viewer.wait("an image to compare with", view.difference.isEnabled)
    assert "6 frames" in view.difference.text()
    player.device.ResetAccumulation()
    viewer.wait("no image", lambda: "no image" in viewer.title)
    play_pilatus(player)
    viewer.wait("another sum", lambda: "sum of 6 frames" in viewer.title)
    view.difference.trigger()
    viewer.wait("the difference", lambda: "minus a kept one of 6" in viewer.title)
    preview = player.read("PreviewImage")
    assert np.isfinite(shown(viewer)).sum() == np.isfinite(preview).sum()
    assert np.nanmean(np.abs(shown(viewer))) < 0.01 * np.nanmean(preview)
    viewer.drag((300, 200), (500, 320))
    viewer.wait("finer pixels", lambda: plot.shown.getScale()[0] == 1)
    assert abs(np.nanmean(shown(viewer))) < 0.01 * np.nanmean(preview)
    view.difference.trigger()
    viewer.wait("the sum", lambda: "total" in viewer.title)


def test_a_profile_is_drawn_along_a_line(viewer, player) -> None:
    from silx.gui.plot import PlotWidget
    from support.viewer import QtWidgets
    from taurus.external.qt import QtCore

    show_pilatus(player, viewer)
    view = viewer.window.image.view_menu
    view.profiles[0].trigger()
    viewer.drag((300, 200), (900, 500))
    ours = viewer.window.findChildren(PlotWidget)

    def profile() -> PlotWidget | None:
        plots = [w for w in QtWidgets.QApplication.allWidgets() if isinstance(w, PlotWidget)]
        drawn = [p for p in plots if p not in ours and p.isVisible() and p.getAllCurves()]
        return drawn[0] if drawn else None

    plot = viewer.wait("a profile", profile)
    assert len(plot.getAllCurves()[0].getXData()) > 100
    view.no_profile.trigger()
    # Outside of an event loop nothing is deleted later.
    viewer.application.sendPostedEvents(None, QtCore.QEvent.Type.DeferredDelete)
    viewer.wait("no profile", lambda: profile() is None)


def test_rings_are_thin_labelled_hidden_or_outside_of_the_data_only(viewer, player) -> None:
    player.write(**GEOMETRY, QValues=(1.51, 2.2))
    player.write(GeometryCamera="pilatus")
    show_pilatus(player, viewer)
    rings, choices = viewer.window.image.rings, viewer.window.geometry_panel.rings.choices
    viewer.wait("rings", lambda: rings.pieces_drawn >= 2)
    points = sum(len(piece.getPoints()) for piece in rings._pieces)
    choices["labels"].trigger()
    assert rings.labels_drawn == ["1.51", "2.2"]
    choices["thin"].trigger()
    assert {piece.getLineWidth() for piece in rings._pieces} == {0.4}
    choices["outside"].trigger()
    outside = sum(len(piece.getPoints()) for piece in rings._pieces)
    assert 0 < outside < points / 2
    choices["visible"].trigger()
    assert not rings.pieces_drawn and not rings.labels_drawn


def test_late_data_are_seen_on_the_image(viewer, player, monkeypatch: pytest.MonkeyPatch) -> None:
    from femtotango.gui.device_link import freshness

    show_pilatus(player, viewer)
    stale = viewer.plot.stale
    assert not stale.isVisible()
    monkeypatch.setattr(freshness, "_LATE", 0.2)
    monkeypatch.setattr(freshness, "_PERIODS", 0.0)
    player.device.PrepareScan(json.dumps({"streams": ["pilatus"], "steps": 1, "burst": 1}))
    viewer.wait("its age", lambda: stale.isVisible() and "no frame for" in stale.words.text())
    assert stale.size() == viewer.plot.canvas.size()
    player.device.StopScan()
    viewer.wait("all in order", lambda: not stale.isVisible())


def test_the_title_says_less_where_there_is_less_room(viewer, player) -> None:
    show_pilatus(player, viewer)
    title = viewer.window.image.title
    viewer.wait("all of it", lambda: "hottest" in title.text() and "total" in title.text())
    viewer.window.resize(1024, 700)  # the narrowest screen that is used
    viewer.wait("a shorter one", lambda: title.text() != title.full_text)
    assert "hottest" in title.text()
    assert title.toolTip() == title.full_text


def test_curves_of_earlier_sums_stay_until_they_are_cleared(viewer, player) -> None:
    player.write(**GEOMETRY, AzimuthalBins=200)
    player.write(GeometryCamera="pilatus")
    panel = viewer.window.azimuthal
    viewer.window.tabs.setCurrentWidget(panel)
    show_pilatus(player, viewer)
    viewer.wait("a curve", lambda: panel.plot.getCurve("intensity"))
    viewer.click(panel.keep)
    viewer.click(viewer.window.tools.reset)
    viewer.wait("the kept one", lambda: len(list(panel.kept)) == 1)
    (kept,) = panel.kept
    assert "6 frames" in kept.name and panel.plot.getCurve(kept.name)
    viewer.click(panel.clear)
    viewer.wait("none", lambda: not list(panel.kept) and not panel.plot.getCurve(kept.name))


def test_plots_are_dark_in_a_dark_window(open_viewer, device_alone: str) -> None:
    from support.viewer import QtWidgets

    from femtotango.gui.desktop import DesktopTheme
    from femtotango.gui.plots.theme import DARK, LIGHT

    from silx.gui.utils.image import convertQImageToArray  # isort: skip

    viewer = open_viewer(device_alone)
    theme = DesktopTheme(QtWidgets.QApplication.instance(), dark=False)
    plots = (viewer.plot, viewer.window.curves.plot)
    for dark, colors in ((True, DARK), (False, LIGHT)):
        theme.set_dark(dark)
        for plot in plots:
            viewer.wait(
                "its colour",
                lambda plot=plot, colors=colors: (
                    plot.getBackgroundColor().name() == colors.background
                ),
            )
        icon = viewer.plot.getInteractiveModeToolBar().getPanModeAction().icon()
        pixels = convertQImageToArray(icon.pixmap(20).toImage())
        drawn = pixels[pixels[..., 3] > 200][:, :3]
        assert (drawn.mean() > 128) == dark, "the arrows are seen on their background"


@pytest.mark.skipif(shutil.which("dbus-run-session") is None, reason="dbus is not installed")
def test_the_window_becomes_dark_and_light_with_the_desktop(screen, tmp_path: Path) -> None:
    program = Path(__file__).parents[1] / "support" / "desktop_portal.py"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        ["dbus-run-session", "--", sys.executable, str(program)],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert "saw True True True" in done.stdout, done.stdout + done.stderr
