"""`femtotango setup` at a real device: saved, loaded, and nothing half-applied."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tango
from click.testing import CliRunner
from support.device_server import serving

from femtotango.cli import femtotango
from femtotango.setup_file import Setup, read_setup, write_setup
from femtotango.stack.errors import CommandError
from femtotango.stack.tango_client import connect
from pipeline.model.roi import Roi, parse_rois

ROIS = '{"ring": {"x": 1, "y": 2, "width": 3, "height": 4}}'
VALUES = {"PhotonEnergy": 13.5, "Distance": 0.131, "BeamX": 210.0, "BeamY": 373.0, "Tilt": 0.5}


@pytest.fixture
def client(nowhere: dict[str, Any], tmp_path: Path) -> Iterator[tuple[Any, str]]:
    """Run the device; give a proxy and its address."""
    with serving(tmp_path / "memory.txt", nowhere) as address:
        yield connect(address), address


def run(*arguments: Any) -> str:
    done = CliRunner().invoke(femtotango, ["setup", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_saved_and_loaded(client, tmp_path: Path) -> None:
    device, name = client
    for attribute, value in VALUES.items():
        device.write_attribute(attribute, value)
    device.QValues, device.Rois = [1.51, 2.14], ROIS
    file = tmp_path / "lab6.json"
    assert "geometry, 2 q values, 1 ROI" in run("save", name, file)
    with pytest.raises(CommandError, match="Not saved"):
        run("save", name, file)
    before = read_setup(device)
    device.QValues, device.Rois, device.Distance = [], "{}", 0.2
    assert "1 ROI" in run("load", name, file)
    assert read_setup(device) == before
    file.write_text(json.dumps({"femtotango_setup": 1, "q_values": [3.0]}))
    run("load", name, file)
    assert device.QValues.tolist() == [3.0]
    assert device.Distance == 0.131, "what is not in the file stays"


def test_what_the_device_refuses_changes_nothing(client, tmp_path: Path) -> None:
    device, name = client
    device.Distance, device.Rois, device.QValues = 0.131, ROIS, [1.0]
    before = read_setup(device)
    # More than the device takes: it cannot be known without asking it.
    many = tuple(float(number) for number in range(1, 100_001))
    setup = Setup({"distance": 0.5}, many, {"a": Roi(1, 1, 1, 1)})
    with pytest.raises(tango.DevFailed):
        write_setup(device, setup)
    assert read_setup(device) == before
    file = tmp_path / "wrong.json"
    file.write_text('{"femtotango_setup": 1, "geometry": {"distance": 0.5}, "q_values": [-1]}')
    with pytest.raises(CommandError, match="Nothing was changed"):
        run("load", name, file)
    assert read_setup(device) == before
    assert list(parse_rois(device.Rois)) == ["ring"]


def test_a_device_that_is_not_there_is_named(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    with pytest.raises(CommandError, match="no/such/device"):
        run("save", "tango://127.0.0.1:1/no/such/device#dbase=no", file)
    assert not file.exists()
