"""Each documented part is a Taurus widget by itself, under the name that the manual gives."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.waiting import PATIENCE

if TYPE_CHECKING:
    from support.viewer import Viewer

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


@pytest.fixture(scope="module")
def opened(screen: None, device_alone: str) -> Iterator["Viewer"]:
    """Give one window for all parts, which run in its event loop and share its link."""
    from support.viewer import Viewer

    with Viewer(device_alone) as viewer:
        yield viewer


@pytest.mark.parametrize("part", [*documented(), *INNER])
def test_a_part_shows_a_device_as_its_model(opened: "Viewer", part: str) -> None:
    from taurus.qt.qtgui.container import TaurusWidget
    from taurus.qt.qtgui.taurusgui.utils import PanelDescription

    device = opened.window.link.name.taurus
    panel = PanelDescription("Part", classname=f"femtotango.gui.{part}", model=device)
    widget = panel.getWidget()
    assert isinstance(widget, TaurusWidget)
    try:
        assert widget.getModel() == device
        assert widget.link is opened.window.link
        widget.show()
        opened.wait("input", widget.isEnabled)
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
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
