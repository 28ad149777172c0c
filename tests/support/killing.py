"""Kill processes of a running stack and wait until it has recovered."""

import os
import signal
from contextlib import suppress

import httpx
import psutil
import tango
from support.waiting import wait_for

from femtotango.simulation.beamline import ScanPlayer
from femtotango.stack.readiness import missing, service_ids

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
    ids = service_ids(listed(info))
    kill(info, sign)
    gone = [ids[name] for name in successors]
    wait_for(lambda: ready(info, gone, ingesters), f"recovery from the end of {sign}")


def kill(info, sign: str) -> None:
    """SIGKILL the process whose command line has this sign, and wait for its successor."""
    (old,) = [pid for pid, line in processes(info).items() if sign in line]
    os.kill(old, signal.SIGKILL)
    wait_for(
        lambda: [pid for pid, line in processes(info).items() if sign in line and pid != old],
        f"a new {sign}",
    )


def listed(info):
    answer = httpx.get(f"{info['controller']}/api/v1/config", trust_env=False)
    return answer.raise_for_status().json()


def ready(info, gone, ingesters) -> bool:
    try:
        return not missing(listed(info), WORKERS, ingesters, gone)
    except httpx.HTTPError:
        return False


def usable(player: ScanPlayer) -> bool:
    return player.device.state() in (tango.DevState.ON, tango.DevState.ALARM)
