"""Scans go on when the analysis is away, hangs or dies.

These tests leave a broken beamline: the file's name puts them at the end of the folder.
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import numpy as np
import pytest
from support.beamline import BURST, Beamline
from support.killing import processes
from support.sardana_server import MacroError
from support.waiting import wait_for

pytestmark = pytest.mark.slow

TIMEOUT = 10.0
"""Of the channels [s]."""


@pytest.fixture(scope="module", autouse=True)
def wide(beamline: Beamline) -> None:
    """Begin with one region of the Pilatus."""
    beamline.calm()
    beamline.door.run("senv ActiveMntGrp femtomax_pilatus")
    beamline.door.run("femto_roi clear")
    beamline.door.run("femto_roi add wide 300 400 300 200 pilatus")


def pids(beamline: Beamline, sign: str) -> list[int]:
    found = [pid for pid, line in processes(beamline.info).items() if sign in line]
    assert found, f"no process with {sign}"
    return found


@contextmanager
def hung(pids: list[int]) -> Iterator[None]:
    """Stop processes until the block is left."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            # The stack may have replaced it meanwhile.
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def test_device_that_does_not_exist(beamline: Beamline):
    door = beamline.door
    name = door.run("genv FemtomaxDevice").split("=")[-1].strip()
    door.run("senv FemtomaxDevice tango://localhost:1/no/such/device#dbase=no")
    try:
        for scan in ("ascan dummy_mot_01 0 1 2 0.02", "ct 0.02"):
            door.run(scan)
            assert door.text("Warning").count("runs without live analysis") == 1
            assert "does not answer" in door.text("Warning")
        assert np.all(np.isnan(beamline.recorded("roi1")))
        door.run("senv FemtomaxStrict True")
        with pytest.raises(MacroError, match="does not answer"):
            door.run("ascan dummy_mot_01 0 1 2 0.02")
    finally:
        door.run("senv FemtomaxStrict False")
        door.run(f"senv FemtomaxDevice {name}")


def test_controller_that_hangs(beamline: Beamline):
    door = beamline.door
    with hung(pids(beamline, "dranspose.controller")):
        wait_for(lambda: not door.run("femto_status").startswith("ON"), "the status says so")
        begin = time.monotonic()
        door.run("ascan dummy_mot_01 0 1 9 0.02")
        assert door.text("Warning").count("runs without live analysis") == 1
        # Ten points that waited for frames would take longer than this.
        assert time.monotonic() - begin < 6 * TIMEOUT
        assert np.all(np.isnan(beamline.recorded("roi1")))


def test_worker_that_is_killed_costs_two_points(beamline: Beamline):
    door = beamline.door
    wait_for(lambda: beamline.device.state().name == "ON", "the pipeline is back")
    number = beamline.read("ScanNumber")
    door.start("ascan dummy_mot_01 0 1 30 0.02")
    wait_for(lambda: beamline.read("ScanNumber") > number, "the scan")
    wait_for(lambda: beamline.read("ScanFrames") >= 3 * BURST, "three points")
    begin = time.monotonic()
    for pid in pids(beamline, "-n worker1"):
        os.kill(pid, signal.SIGKILL)
    door.wait()
    # The stack may have replaced the ingester first: then it is the records that tell.
    assert door.text("Warning").lower().count("the scan goes on without") == 1
    # Each of thirty points took the time-out before.
    assert time.monotonic() - begin < 6 * TIMEOUT
    values = beamline.recorded("roi1")
    assert len(values) == 31
    assert np.isnan(values[-10:]).all()
