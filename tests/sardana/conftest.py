"""Sardana and Taurus warn when they are imported; their warnings are not ours to mend."""

import warnings
from collections.abc import Iterator

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import sardana.macroserver.scan.gscan
    import sardana.macroserver.scan.recorder.datarecorder  # noqa: F401
    import sardana_config.validate  # noqa: F401
    import taurus

from support.beamline import Beamline, running_beamline

# Taurus writes what any library says to the terminal, each HTTP request for one.
taurus.setLogLevel(taurus.Warning)


@pytest.fixture(scope="session")
def beamline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Beamline]:
    """Run one beamline for the files that leave it whole."""
    with running_beamline(tmp_path_factory.mktemp("beamline")) as beamline:
        yield beamline


@pytest.fixture(autouse=True)
def calm(request: pytest.FixtureRequest) -> None:
    """Begin with a Sardana that runs macros, whatever the test before has left."""
    if "beamline" in request.fixturenames:
        request.getfixturevalue("beamline").calm()


@pytest.fixture
def fresh_pilatus(beamline: Beamline) -> None:
    """Begin with a new sum of the Pilatus and two regions."""
    door = beamline.door
    door.run("senv ActiveMntGrp femtomax_pilatus")
    door.run("femto_roi clear")
    door.run("femto_roi add wide 300 400 300 200 pilatus")
    door.run("femto_roi add narrow 350 450 20 20 pilatus")
    door.run("femto_accum on")
    door.run("femto_accum reset")
