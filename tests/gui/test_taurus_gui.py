"""`taurus gui femtotango` starts, shows all panels at their places, and they work together."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import tango
from support.waiting import PATIENCE

from femtotango.gui.connections import CONNECTIONS

pytestmark = [pytest.mark.gui, pytest.mark.slow]

_PROGRAM = Path(__file__).parents[1] / "support" / "taurus_gui.py"
_BEHIND = {"Energy histogram", "Azimuthal curve", "Manual"}
"""In a tab that is not on top, or closed at first."""


def test_the_panels_are_there_and_work_together(screen, device_alone: str, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "FEMTOTANGO_DEVICE": device_alone,
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    # From a folder without the package, as `taurus gui` prefers a folder of that name.
    done = subprocess.run(
        [sys.executable, str(_PROGRAM)],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("saw ")]
    assert lines, done.stderr
    saw = json.loads(lines[0].removeprefix("saw "))
    assert saw["title"] == "femtotango"
    assert len(set(saw["panels"]) - {"Manual"}) == 9
    assert set(saw["seen"]) >= set(saw["panels"]) - _BEHIND
    assert saw["enabled"] and saw["written"] and saw["drawing"] and saw["released"]
    assert tango.DeviceProxy(device_alone).Distance == 0.131


def test_every_connection_exists(open_viewer, device_alone: str) -> None:
    window = open_viewer(device_alone).window
    panels = {
        "image": window.image,
        "rois": window.roi_table,
        "geometry": window.geometry_panel,
        "tools": window.tools,
    }
    for one in CONNECTIONS:
        assert hasattr(panels[one.sender], one.signal)
        assert callable(getattr(panels[one.receiver], one.slot))


def test_the_package_is_plain_without_taurus() -> None:
    code = (
        "import femtotango, inspect, sys; names = dir(femtotango); inspect.getmembers(femtotango); "
        "assert 'GUI_NAME' not in names and 'taurus' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=PATIENCE)
