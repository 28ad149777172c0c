"""Each part of the window is a Taurus widget by itself, and the commands open the window."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.viewer_scans import show_pilatus

pytestmark = [pytest.mark.gui, pytest.mark.slow]

_MANUAL = Path(__file__).parents[2] / "docs" / "viewer.md"
_NAME = re.compile(r"`(?:femtotango\.gui\.)?([a-z_]+:[A-Za-z]+)`")
INNER = (
    "geometry:GeometryForm",
    "geometry:QTable",
    "settings:CameraSettings",
    "settings:PhotonSettings",
    "settings:PhotonState",
)
"""Parts of parts, which are widgets by themselves too."""


def documented() -> list[str]:
    """Return the widgets that the manual names, as ``module:Class``."""
    _, chapter = _MANUAL.read_text().split("## Parts for your own GUI")
    return sorted(set(_NAME.findall(chapter)))


def test_the_manual_names_every_panel_of_the_window() -> None:
    assert len(documented()) == 9
    assert "image:ImageWidget" in documented()


@pytest.mark.parametrize("part", [*documented(), *INNER])
def test_a_part_shows_a_device_as_its_model(viewer, player, part: str) -> None:
    from taurus.qt.qtgui.container import TaurusWidget
    from taurus.qt.qtgui.taurusgui.utils import PanelDescription

    device = player.info["device"]
    panel = PanelDescription("Part", classname=f"femtotango.gui.{part}", model=device)
    widget = panel.getWidget()
    assert isinstance(widget, TaurusWidget)
    try:
        assert widget.getModel() == device
        assert widget.link is viewer.window.link
        widget.show()
        viewer.wait("input", widget.isEnabled)
        widget.setModel(None)
        assert widget.getModel() == ""
    finally:
        widget.setModel(None)
        widget.close()
        widget.deleteLater()


def test_public_names_import_no_window_until_a_widget_is_asked_for() -> None:
    code = """
import sys
import femtotango.gui.image

for name, module in list(sys.modules.items()):
    hasattr(module, "__file__")
assert femtotango.gui.image is sys.modules["femtotango.gui.image"]
assert not {"PyQt5", "taurus", "silx"} & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_one_link_serves_all_parts_of_a_device(viewer, player) -> None:
    from femtotango.gui.panels.image import ImageWidget

    show_pilatus(player, viewer)
    alone = ImageWidget()
    try:
        alone.resize(500, 400)
        alone.show()
        alone.setModel(player.info["device"])
        assert alone.link is viewer.window.link
        viewer.wait("the image", lambda: alone.plot.image_shape == (831, 1475))
        player.write(Rois='{"a": {"x": 1, "y": 2, "width": 3, "height": 4}}')
        viewer.wait(
            "the ROI in both", lambda: alone.rois.shape("a") and viewer.window.image.rois.shape("a")
        )
    finally:
        alone.setModel(None)
        alone.close()
        alone.deleteLater()


def test_a_part_without_device_says_what_to_do(screen) -> None:
    from support.viewer import QtWidgets

    from femtotango.gui.panels.status import StatusLine

    application = QtWidgets.QApplication.instance() or QtWidgets.QApplication(["tests"])
    assert application is not None
    line = StatusLine()
    with pytest.raises(RuntimeError, match="setModel"):
        line.link.value("State")


@pytest.mark.parametrize("command", [["taurus", "femtomax"], ["femtotango", "viewer"]])
def test_the_commands_open_the_window(screen, player, command: list[str], tmp_path: Path) -> None:
    picture = tmp_path / "viewer.png"
    program = Path(sys.executable).with_name(command[0])
    options = ["--screenshot", str(picture), "--size", "1280x800"]
    done = subprocess.run(
        [program, *command[1:], player.info["device"], *options],
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert done.returncode == 0, done.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["no device"], "'no device' names no device"),
        (["a/b/c", "--size", "big"], "size 'big': expected WIDTHxHEIGHT"),
    ],
)
def test_wrong_arguments_are_told_in_a_sentence(screen, arguments: list[str], told: str) -> None:
    program = Path(sys.executable).with_name("taurus")
    done = subprocess.run(
        [program, "femtomax", *arguments], capture_output=True, text=True, timeout=50
    )
    assert done.returncode
    assert told in done.stderr
    assert "Traceback" not in done.stderr
