"""What a user does all day: accumulate, zoom, set thresholds, save, watch the state."""

import json

import numpy as np
import pytest
import tango
from support.viewer_scans import PILATUS, SCAN, play_pilatus, show_pilatus

from femtotango.gui.device_link.tango_thread import TangoThread
from pipeline.simulation.scan import BurstScan, detector_frames

pytestmark = [pytest.mark.gui, pytest.mark.slow]


def test_accumulate_sums_and_shows_it(viewer, player) -> None:
    tools = viewer.window.tools
    viewer.wait("the button", tools.accumulate.isEnabled)
    viewer.click(tools.accumulate)
    viewer.wait("Accumulate at the device", lambda: player.read("Accumulate"))
    play_pilatus(player)
    viewer.wait("the title", lambda: "sum of 6 frames" in viewer.title)
    assert "pilatus" in viewer.title and "TOT" in viewer.title
    total = f"total {player.read('ImageSum'):.4g}"
    hottest = f"hottest {player.read('ImageMax'):.4g}"
    viewer.wait("total and hottest", lambda: total in viewer.title and hottest in viewer.title)
    assert tools.accumulate.isChecked()
    viewer.click(tools.reset)
    viewer.wait("an empty sum", lambda: player.read("FrameCount") == 0)
    viewer.wait("no image", lambda: "no image" in viewer.title)
    viewer.click(tools.accumulate)
    viewer.wait("forwarding", lambda: not player.read("Accumulate"))
    viewer.wait("the button released", lambda: not tools.accumulate.isChecked())


def test_accumulation_started_elsewhere_presses_the_button(viewer, player) -> None:
    player.device.StartAccumulation()
    viewer.wait("the button", lambda: viewer.window.tools.accumulate.isChecked())


def test_the_full_view_is_the_preview_and_zooming_fetches_the_pixels(viewer, player) -> None:
    show_pilatus(player, viewer)
    plot = viewer.plot
    preview = player.read("PreviewImage")
    viewer.wait(
        "the preview", lambda: np.array_equal(plot.shown.getData(), preview, equal_nan=True)
    )
    viewer.drag((300, 200), (500, 320))
    viewer.wait("finer pixels", lambda: plot.shown.getScale()[0] == 1)
    viewer.wait("the whole view", lambda: plot.shown.getData(copy=False).shape[1] >= 200)
    full = player.read("AccumulatedImage")
    shown = plot.shown
    x, y = (int(edge + 0.5) for edge in shown.getOrigin())
    data = shown.getData()
    np.testing.assert_array_equal(data, full[y : y + data.shape[0], x : x + data.shape[1]])
    assert data.size < full.size / 4, "only what is seen is transferred"
    coarse = plot.getImage("preview")
    viewer.wait("no preview behind it", lambda: not coarse.isVisible())
    plot.setLimits(450, 700, 200, 320)
    assert coarse.isVisible(), "until the finer pixels of a new view are there"
    viewer.wait("them", lambda: not coarse.isVisible())
    plot.resetZoom()
    viewer.wait(
        "the preview again", lambda: np.array_equal(plot.shown.getData(), preview, equal_nan=True)
    )


def test_pixels_that_the_device_could_not_send_are_requested_again(
    viewer, player, monkeypatch: pytest.MonkeyPatch
) -> None:
    from femtotango.gui.panels import finer_pixels

    fetch, failed = finer_pixels.fetch_region, []

    def fail_once(proxy, region, camera):
        if not failed:
            failed.append(region)
            tango.Except.throw_exception("Femtomax_Busy", "the pipeline is too busy", "GetRegion")
        return fetch(proxy, region, camera)

    show_pilatus(player, viewer)
    monkeypatch.setattr(finer_pixels, "fetch_region", fail_once)
    viewer.plot.setLimits(450, 700, 200, 320)
    viewer.wait("an error line", lambda: "too busy" in viewer.error_line)
    viewer.wait("finer pixels", lambda: viewer.plot.shown.getScale()[0] == 1)


def test_the_max_filter_keeps_single_photons_visible(viewer, player) -> None:
    show_pilatus(player, viewer)
    mean = viewer.plot.shown.getData()
    viewer.click(viewer.window.tools.max_filter)
    viewer.wait("MaxFilter", lambda: player.read("MaxFilter"))
    viewer.wait("brighter blocks", lambda: np.nanmax(viewer.plot.shown.getData()) > np.nanmax(mean))
    assert np.nanmax(viewer.plot.shown.getData()) == pytest.approx(player.read("ImageMax"))
    player.write(MaxFilter=False)
    viewer.wait("the switch", lambda: not viewer.window.tools.max_filter.isChecked())


def test_roi_means_are_drawn_over_the_motor_with_error_bars(viewer, player) -> None:
    player.write(Rois='{"a": {"x": 100, "y": 100, "width": 300, "height": 200}}')
    play_pilatus(player)
    plot = viewer.window.curves.plot
    curve = viewer.wait("the curve", lambda: plot.getCurve("a"))
    viewer.wait("all steps", lambda: len(plot.getCurve("a").getXData()) == SCAN.steps)
    curve = plot.getCurve("a")
    np.testing.assert_allclose(curve.getXData(), player.read("XAxis"))
    np.testing.assert_allclose(curve.getYData(), player.read("RoiMeanCurves")[0])
    np.testing.assert_allclose(curve.getYErrorData(), player.read("RoiMeanErrors")[0])
    assert plot.getXAxis().getLabel() == player.read("XLabel")


def test_thresholds_are_lines_that_can_be_dragged(viewer, player) -> None:
    histogram = viewer.window.histogram
    viewer.window.tabs.setCurrentWidget(histogram)
    line = histogram.lines["PileupThreshold"]
    viewer.wait("the line", lambda: line.getXPosition() == player.read("PileupThreshold"))
    player.write(PileupThreshold=1500.0)
    viewer.wait("a moved line", lambda: line.getXPosition() == 1500.0)
    field = viewer.window.settings.photons.fields["EnergyThreshold"]
    viewer.enter(field, "700")
    viewer.wait("the field's value", lambda: player.read("EnergyThreshold") == 700.0)
    viewer.wait("its line", lambda: histogram.lines["EnergyThreshold"].getXPosition() == 700.0)


def test_save_raw_without_a_balor_is_grey_and_a_refusal_has_a_reason(viewer, player) -> None:
    state = viewer.window.settings.state
    viewer.wait("the state", lambda: "BalorDevice" in state.save_raw.toolTip())
    assert not state.save_raw.isEnabled()
    state.save_raw.entered.emit(False)
    reason = viewer.wait("a reason", state.refusal.text)
    assert reason in viewer.error_line


def test_continuous_mode_shows_frames_without_a_scan(viewer, player) -> None:
    tools = viewer.window.tools
    viewer.wait("the button", tools.start.isEnabled)
    tools.camera.setCurrentText(PILATUS)
    viewer.click(tools.start)
    viewer.wait("a scan", lambda: str(player.device.state()) == "RUNNING")
    scan = BurstScan(steps=1, burst=3)
    frames = list(detector_frames(PILATUS, 1, scan.frame_positions))
    player.play(PILATUS, frames, scan, records=False)
    viewer.wait("a frame", lambda: "newest frame" in viewer.title)
    viewer.click(tools.stop)
    viewer.wait("the end", lambda: str(player.device.state()) != "RUNNING")
    viewer.wait("its state", lambda: viewer.window.status_line.state.text() != "RUNNING")


def test_image_and_poni_are_saved(viewer, player, tmp_path) -> None:
    show_pilatus(player, viewer)
    player.write(PhotonEnergy=13.5, Distance=0.131, BeamX=210.0, BeamY=373.0)
    image, poni = tmp_path / "sum.h5", tmp_path / "lab6.poni"
    viewer.window.tools.save("SaveImage", str(image))
    viewer.window.tools.save("SavePoni", str(poni))
    viewer.wait("both files", lambda: image.exists() and poni.exists())
    assert "Distance: 0.131" in poni.read_text()
    viewer.window.tools.save("LoadPoni", str(tmp_path / "missing.poni"))
    # A busy machine may have another error for the line at once.
    viewer.wait("an error", lambda: any("missing.poni" in error for error in viewer.errors))


def test_the_state_is_always_seen(viewer, player) -> None:
    line = viewer.window.status_line
    viewer.wait("ON", lambda: line.state.text() == "ON")
    viewer.wait("the status", lambda: line.status.full_text)
    request = {"streams": [PILATUS], "steps": 1, "burst": 1}
    player.device.PrepareScan(json.dumps(request))
    viewer.wait("RUNNING", lambda: line.state.text() == "RUNNING")
    assert f"scan {player.read('ScanNumber')}" in line.scan.text()
    player.device.StopScan()
    viewer.wait("ON", lambda: line.state.text() == "ON")


def test_what_is_changed_elsewhere_appears_by_an_event(
    viewer, player, monkeypatch: pytest.MonkeyPatch
) -> None:
    field = viewer.window.settings.camera.fields["Background"]
    viewer.wait("the value", field.isEnabled)
    # Without the poll, only an event brings it.
    monkeypatch.setattr(TangoThread, "_poll", lambda *_: None)
    player.write(Background=101.5)
    viewer.wait("the value", lambda: field.value() == 101.5)
