"""Single photons in the window: histogram, trust, and the camera's switch for raw data."""

import numpy as np
import pytest
from tango.test_context import DeviceTestContext

from femtotango.simulation.balor_device import BalorSimulator
from femtotango.simulation.beamline import ScanPlayer
from pipeline.simulation.scan import BurstScan, detector_frames

pytestmark = [pytest.mark.gui, pytest.mark.slow, pytest.mark.timeout(180)]

BALOR = "andor3_balor"
SCAN = BurstScan(steps=1, burst=3)
ROI = '{"x": 1000, "y": 1000, "width": 2000, "height": 1500}'


def test_the_histogram_and_the_trust_are_those_of_the_scan(viewer, player) -> None:
    viewer.window.tabs.setCurrentWidget(viewer.window.histogram)
    player.write(PhotonRoi=ROI)
    player.prepare(BALOR, SCAN)
    player.play(BALOR, detector_frames(BALOR, 1, SCAN.frame_positions), SCAN)
    player.wait_finished()
    plot = viewer.window.histogram.plot
    counts = player.read("EnergyHistogram")
    assert counts.sum() > 0
    viewer.wait("the histogram", lambda: plot.getHistogram("photons"))
    viewer.wait(
        "its counts",
        lambda: np.array_equal(plot.getHistogram("photons").getValueData(), counts),
    )
    edges = plot.getHistogram("photons").getBinEdgesData()
    np.testing.assert_allclose(0.5 * (edges[1:] + edges[:-1]), player.read("EnergyAxis"))
    state = viewer.window.settings.state
    photons = f"{player.read('PhotonCount')} photons"
    viewer.wait("the count", lambda: photons in state.counts.text())
    viewer.wait("trust", lambda: state.trust.text().startswith("Photons are trusted"))
    viewer.wait("counts in the title", lambda: "counts" in viewer.title)
    player.device.StartContinuous([BALOR])
    viewer.wait("an empty histogram", lambda: not plot.getHistogram("photons"))
    scan = BurstScan(steps=1, burst=1)
    frames = detector_frames(BALOR, 1, scan.frame_positions)
    # The series does not end: behind its end the next one is begun, without photons.
    player.play(BALOR, frames, scan, records=False, only=1)
    viewer.wait("the next one", lambda: plot.getHistogram("photons"))
    viewer.wait("all of it", lambda: plot.getYAxis().getLimits()[1] > 2)
    player.device.StopContinuous()


def test_save_raw_shows_the_camera_and_why_it_stays_on(open_viewer, own_stack, tmp_path) -> None:
    config = tmp_path / "stack.toml"
    config.write_text(f'workers = 1\n[streams]\n{BALOR} = ""\n')
    info = own_stack("--config", str(config))
    with DeviceTestContext(BalorSimulator, process=True) as camera, ScanPlayer(info) as player:
        name = f"tango://{camera.get_dev_host()}:{camera.get_dev_port()}/{camera.name()}#dbase=no"
        player.device.put_property({"BalorDevice": name})
        player.device.Init()
        viewer = open_viewer(info["device"])
        state = viewer.window.settings.state
        viewer.wait("the switch", lambda: state.save_raw.isEnabled() and state.save_raw.isChecked())
        viewer.click(state.save_raw)
        reason = viewer.wait("the reason", state.refusal.text)
        assert "PrepareScan" in reason
        assert reason in viewer.error_line
        viewer.wait("the switch back on", state.save_raw.isChecked)
        assert camera.SaveRaw is True

        button = viewer.window.status_line.acknowledge
        assert not button.isVisible()
        camera.SaveRaw = False
        viewer.wait("the button beside the alarm", button.isVisible)
        assert camera.SaveRaw is True
        viewer.click(button)
        viewer.wait("the end of the alarm", lambda: not button.isVisible())
        assert "AcknowledgeLoss" not in player.device.status()
