"""Kill processes of a running stack and wait until it has recovered."""

import os
import signal
from contextlib import closing, suppress

import psutil
import tango
from support.waiting import wait_for

from femtotango.dranspose_client.controller import Controller
from femtotango.dranspose_client.services import Config
from femtotango.errors import PipelineError
from femtotango.simulation.beamline import ScanPlayer

WORKERS = ["worker1", "worker2"]
INGESTERS = ["pilatus-ingester", "sardana-ingester"]


def processes(info) -> dict[int, str]:
    found = {}
    for child in psutil.Process(info["pid"]).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            found[child.pid] = " ".join(child.cmdline())
    return found


def kill_and_wait(info, sign: str, successors: list[str], ingesters: list[str] = INGESTERS) -> None:
    """SIGKILL the process whose command line has this sign, and wait for the recovery.

    Args:
        info: the ready file's content.
        sign: part of the command line.
        successors: services that must be new then.
        ingesters: all that the stack has.
    """
    ids = listed(info).uuids
    kill(info, sign)
    gone = [ids[name] for name in successors]
    wait_for(lambda: ready(info, gone, ingesters), f"recovery from the end of {sign}")


def kill(info, sign: str, with_successor: bool = True) -> None:
    """SIGKILL the process whose command line has this sign, and wait for its successor."""
    (old,) = [pid for pid, line in processes(info).items() if sign in line]
    os.kill(old, signal.SIGKILL)
    if not with_successor:
        return
    wait_for(
        lambda: [pid for pid, line in processes(info).items() if sign in line and pid != old],
        f"a new {sign}",
    )


def listed(info) -> Config:
    with closing(Controller(info["controller"])) as controller:
        return controller.config()


def ready(info, gone, ingesters) -> bool:
    try:
        config = listed(info).without(gone)
    except PipelineError:
        return False
    return not config.not_ready(workers=WORKERS, ingesters=ingesters)


def usable(player: ScanPlayer) -> bool:
    return player.device.state() in (tango.DevState.ON, tango.DevState.ALARM)
