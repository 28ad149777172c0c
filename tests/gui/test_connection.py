"""Panels take input as soon as the device can be read, in whatever order things happen."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import tango
from support.device_server import serving

from femtotango.gui.device_link import tango_thread

pytestmark = [pytest.mark.gui, pytest.mark.slow]

_LONG = 60.0
"""Tango gives up a stopped device after up to 9 s for some calls."""


def test_panels_take_input_when_the_device_answers_before_they_are_built(
    open_viewer, device_alone: str
) -> None:
    from support.viewer import QtWidgets

    from femtotango.gui.device_link.link import link_to

    assert QtWidgets.QApplication.instance() or QtWidgets.QApplication(["tests"])
    # A busy machine takes longer to build the window than to reach the device.
    answered = threading.Event()
    link_to(device_alone).call(lambda _: answered.set())
    assert answered.wait(60.0)
    viewer = open_viewer(device_alone)
    window = viewer.window
    viewer.wait("MaxFilter", window.tools.max_filter.isEnabled)
    for panel in (window.geometry_panel.form, window.settings.photons, window.settings.camera):
        for name, field in panel.fields.items():
            viewer.wait(name, field.isEnabled)
    viewer.wait("the ROI table", window.roi_table.isEnabled)
    viewer.wait("the image", window.image.plot.canvas.isEnabled)


@contextmanager
def stopped(memory: Path) -> Iterator[None]:
    """Stop the device's process for a while, as a machine without time for it does."""
    (process,) = (
        child for child in psutil.Process().children() if f"-file={memory}" in child.cmdline()
    )
    process.suspend()
    try:
        yield
    finally:
        process.resume()


def test_a_device_that_stood_still_takes_input_again(
    open_viewer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tango_thread, "_READ_TIMEOUT_MS", 1000)
    memory = tmp_path / "memory.txt"
    with serving(memory, {}) as address:
        viewer = open_viewer(address)
        field = viewer.window.settings.camera.fields["Background"]
        # The device is read before all events are subscribed to: some of them are hit.
        with stopped(memory):
            viewer.wait("waiting", lambda: not viewer.window.link.connected, _LONG)
            assert not field.isEnabled()
            assert "waiting" in viewer.title
        viewer.wait("input", field.isEnabled, _LONG)
        client = tango.DeviceProxy(address)
        client.Background = 123.0
        viewer.wait("the value", lambda: field.value() == 123.0)
        viewer.enter(field, "124")
        viewer.wait("what was typed", lambda: client.Background == 124.0)
