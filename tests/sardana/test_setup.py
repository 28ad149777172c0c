"""`femto_setup` through the door: saved beside the scans, loaded, refused as a whole."""

import pytest
from support.beamline import Beamline
from support.sardana_server import MacroError

from femtotango.setup_file import read_setup

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def fresh(fresh_pilatus: None) -> None:
    """Begin with two regions."""


def test_a_setup_is_saved_and_loaded_by_its_name(beamline: Beamline):
    door, device = beamline.door, beamline.device
    door.run("femto_geometry photon_energy 13.5 distance 0.131")
    device.QValues = [1.51, 2.14]
    assert "geometry, 2 q values, 2 ROIs" in door.run("femto_setup save lab6")
    saved, file = read_setup(device), beamline.folder / "lab6.json"
    assert file.exists()
    with pytest.raises(MacroError, match="Not saved"):
        door.run("femto_setup save lab6")
    door.run("femto_setup replace lab6")
    door.run("femto_roi clear")
    door.run("femto_geometry distance 0.2")
    device.QValues = [3.0]
    assert "loaded from" in door.run("femto_setup load lab6")
    assert read_setup(device) == saved
    assert "lab6" in door.run("femto_setup")

    file.write_text(file.read_text().replace("0.131", "-1"))
    device.QValues = [3.0]
    with pytest.raises(MacroError, match=r"distance = -1: expected 0 \.\.\. 1000 m"):
        door.run("femto_setup load lab6")
    assert device.QValues.tolist() == [3.0]
    for line, told in (
        ("femto_setup load other", "cannot be read"),
        ("femto_setup load", "Which setup"),
        ("femto_setup load ../lab6", "no slash"),
        ("femto_setup away lab6", "save, replace, load, list"),
    ):
        with pytest.raises(MacroError, match=told):
            door.run(line)
    file.unlink()
    device.QValues = []
