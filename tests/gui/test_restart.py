"""The window waits for a device and a pipeline that go away, and goes on when they are back."""

from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
from support.viewer_scans import play_pilatus

from femtotango.simulation.beamline import ScanPlayer
from pipeline.model.roi import Roi

pytestmark = [pytest.mark.gui, pytest.mark.slow, pytest.mark.timeout(240)]


def process_of(info: dict, word: str) -> psutil.Process:
    """Return the stack's process that has a word in its command line."""
    for process in psutil.Process(info["pid"]).children(recursive=True):
        if word in " ".join(process.cmdline()):
            return process
    raise LookupError(f"no process with {word!r}")


@contextmanager
def killed(info: dict, word: str) -> Iterator[None]:
    """Kill a process of the stack, which is restarted afterwards and not before."""
    supervisor = psutil.Process(info["pid"])
    supervisor.suspend()
    try:
        process_of(info, word).kill()
        yield
    finally:
        supervisor.resume()


def test_restarts_of_device_and_pipeline(open_viewer, own_stack, tmp_path) -> None:
    from femtotango.gui.plots.roi_overlay import roi_of

    config = tmp_path / "stack.toml"
    config.write_text('workers = 1\n[streams]\npilatus = ""\n')
    info = own_stack("--config", str(config))
    viewer = open_viewer(info["device"])
    with ScanPlayer(info) as player:
        player.write(Accumulate=True, Rois='{"a": {"x": 1, "y": 2, "width": 3, "height": 4}}')
        play_pilatus(player)
        viewer.wait("the sum", lambda: "sum of 6 frames" in viewer.title)
        preview = viewer.plot.shown.getData()

        with killed(info, "femtotango.device"):
            viewer.wait("waiting", lambda: "waiting for" in viewer.title)
            assert not viewer.window.tools.isEnabled()
            assert viewer.window.status_line.state.text() == "waiting"
            assert info["device"].rpartition("/")[2] in viewer.window.status_line.status.full_text
        viewer.wait("the device", lambda: "sum of 6 frames" in viewer.title, 60)
        viewer.wait("its state", lambda: viewer.window.status_line.state.text() == "ON", 60)
        assert viewer.window.tools.isEnabled()
        assert viewer.plot.shown.getData().shape == preview.shape
        rois = '{"again": {"x": 50, "y": 60, "width": 70, "height": 80}}'
        player.write(Rois=rois)
        viewer.wait("the ROI", lambda: viewer.window.image.rois.shape("again"))
        assert roi_of(viewer.window.image.rois.shape("again")) == Roi(50, 60, 70, 80)

        with killed(info, "dranspose.reducer:app"):
            viewer.wait("UNKNOWN", lambda: viewer.window.status_line.state.text() == "UNKNOWN")
        viewer.wait("ON again", lambda: viewer.window.status_line.state.text() == "ON", 90)
        player.device.ResetAccumulation()
        play_pilatus(player)
        viewer.wait("a new sum", lambda: "sum of 6 frames" in viewer.title, 60)
    shown = [w for w in viewer.application.topLevelWidgets() if w.isVisible()]
    assert shown == [viewer.window], "errors are a line, not dialogs"


def test_a_window_opens_before_its_device(open_viewer, screen) -> None:
    from support.viewer import Viewer

    viewer = Viewer("tango://127.0.0.1:9/a/b/c#dbase=no")
    try:
        viewer.wait("a reason", lambda: "waiting" in viewer.window.status_line.state.text())
        assert "a/b/c" in viewer.title
        assert not viewer.window.roi_table.isEnabled()
    finally:
        viewer.__exit__(None, None, None)
