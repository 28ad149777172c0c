"""Every change event, seen by a client in a process of its own, is what a read gives."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from support.event_log import events
from support.stack import NO_KILL, process, reset
from support.waiting import wait_for

from femtotango.component.result_attributes import RESULTS
from femtotango.device.attributes import MAX_FILTER, Q_VALUES, SAVE_RAW
from femtotango.device.change_events import same
from femtotango.simulation.beamline import ScanPlayer
from pipeline.model.parameters import ATTRIBUTES
from pipeline.protocols.stins import stins_end, stins_header, stins_image
from pipeline.simulation.scan import BurstScan

pytestmark = [pytest.mark.timeout(240), pytest.mark.slow]

NAMES = (
    *("State", "Status", MAX_FILTER, Q_VALUES, SAVE_RAW),
    *ATTRIBUTES,
    *(row.name for row in RESULTS if row.events),
)
GROWING = {"LastFrameAge"}
"""Its value is another one at each moment."""


def take_scan(player):
    scan = BurstScan(steps=1, burst=4)
    player.prepare("pilatus", scan)
    player.play("pilatus", [np.ones((16, 16), np.float32)] * 4, scan)
    player.wait_finished()


class Client:
    """What another process heard."""

    def __init__(self, device, path):
        self._device, self._path = device, path

    def heard(self, name):
        return [event for event in events(self._path) if event.name == name]

    def states(self):
        return [event.value for event in self.heard("State")]

    def differences(self):
        """Compare the newest event of each attribute with a read."""
        newest = {}
        read = {r.name: r for r in self._device.read_attributes(list(NAMES))}
        for event in events(self._path):
            newest[event.name] = event
        found = []
        for name in NAMES:
            event, now = newest.get(name), read[name]
            if event is None or event.error:
                found.append(f"{name}: {event}")
                continue
            value = str(now.value) if name == "State" else now.value
            if name not in GROWING and not same(event.value, value):
                found.append(f"{name}: heard {event.value!r}, read {value!r}")
            if event.quality != str(now.quality):
                found.append(f"{name}: heard {event.quality}, read {now.quality}")
            read_time = now.time.totime()
            if name in ATTRIBUTES and abs(event.time - read_time) > 1e-3:
                found.append(f"{name}: heard of {event.time}, read of {read_time}")
            if not 0 < event.time <= read_time + 1e-3 <= time.time() + 0.1:
                found.append(f"{name}: heard of {event.time}, read of {read_time}: later")
        return found

    def agree(self, after):
        """Wait until the newest events are what a read gives."""
        wait_for(lambda: not self.differences(), lambda: f"{after}: {self.differences()}")


@contextmanager
def listening(device, address, folder):
    path, log = folder / "events.pickle", folder / "client.log"
    path.touch()
    root = Path(__file__).parents[2]
    with log.open("wb") as output:
        client = subprocess.Popen(
            [sys.executable, "-m", "support.event_log", address, str(path), *NAMES],
            env={**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{root / 'tests'}"},
            stdout=output,
            stderr=output,
        )
    try:
        wait_for(lambda: b"subscribed" in log.read_bytes(), log.read_text)
        yield Client(device, path)
    finally:
        client.kill()
        client.wait()


def in_order(wanted, found):
    rest = iter(found)
    return all(state in rest for state in wanted)


def test_events_are_what_a_read_gives(own_stack, tmp_path):
    config = tmp_path / "stack.toml"
    config.write_text(f'{NO_KILL}workers = 1\n[streams]\npilatus = ""\n')
    info = own_stack("--config", str(config))
    with (
        ScanPlayer(info) as player,
        listening(player.device, info["device"], tmp_path) as client,
    ):
        device = player.device
        reset(player)
        client.agree("after the start")

        player.write(Background=64.5, MaxFilter=True, QValues=[1.5], PhotonEnergy=13.5)
        device.AddRoi('{"name": "a", "x": 1, "y": 2, "width": 3, "height": 4}')
        client.agree("after writes")

        take_scan(player)
        client.agree("after a scan")
        assert in_order(["ON", "RUNNING", "ON"], client.states())

        player.prepare("pilatus", BurstScan(steps=1, burst=4), records=False)
        client.agree("in a scan")
        device.StopScan()
        player.wait_finished()
        client.agree("after StopScan")

        player.prepare("pilatus", BurstScan(steps=1, burst=2), records=False)
        good = stins_image(1, 0, np.ones((16, 16), np.float32))
        cut = stins_image(2, 1, np.ones((16, 16), np.float32))
        cut[1] = bytes(cut[1])[:10]
        player.source("pilatus").send([stins_header(0, "", None), good, cut, stins_end(3)])
        wait_for(lambda: client.states()[-1] == "ALARM", device.status)
        player.wait_finished()
        client.agree("in alarm")
        assert "could not be used" in client.heard("Status")[-1].value
        take_scan(player)
        client.agree("after the alarm")
        assert client.states()[-1] == "ON"

        for part in ("dranspose.reducer:app", "dranspose.controller:app"):
            stopped = process(info, part)
            stopped.send_signal(signal.SIGSTOP)
            try:
                wait_for(lambda: client.states()[-1] == "UNKNOWN", device.status)
                client.agree(f"without {part}")
            finally:
                stopped.send_signal(signal.SIGCONT)
            wait_for(lambda: client.states()[-1] == "ON", device.status)
            client.agree(f"with {part} again")

        for event in events(tmp_path / "events.pickle"):
            assert not event.error, event
        assert {event.value for event in client.heard("State")} <= {
            *("ON", "RUNNING", "ALARM", "UNKNOWN")
        }
        assert not [e for e in client.heard("Status") if "initialised" in e.value.lower()]
