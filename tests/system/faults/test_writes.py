"""Absurd writes to every attribute and command, by two clients at once."""

import random
import threading
import time
from pathlib import Path

import pytest
import tango
from support import absurd
from support.outcomes import Outcome
from support.repeats import repeats
from support.stack import reset
from support.victim import Attempts, Victim
from support.waiting import wait_for

from femtotango.stack.tango_client import connect
from pipeline.model.parameters import ATTRIBUTES

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

WRITES = repeats(300, 1000)
NOT_OURS = {"Init", "State", "Status"}


class Writer:
    """One client that writes what nobody should."""

    def __init__(self, address: str, seed: int) -> None:
        self.device = connect(address, 60_000)
        self.done = self.refused = 0
        self.wrong: list[str] = []
        """Errors that say nothing, and settings that a refusal has changed."""
        self._rng = random.Random(seed)
        infos = self.device.attribute_list_query()
        self._attributes = [i for i in infos if i.writable != tango.AttrWriteType.READ]
        self._commands = [c for c in self.device.command_list_query() if c.cmd_name not in NOT_OURS]

    def write(self, count: int, alone: bool) -> None:
        """Write so many times.

        Args:
            count: how often.
            alone: nobody else writes, so that a refused value must leave the old one.
        """
        for _ in range(count):
            if self._rng.random() < 0.6:
                self._write_attribute(self._rng.choice(self._attributes), alone)
            else:
                self._call(self._rng.choice(self._commands))
            self.done += 1

    def _write_attribute(self, info: tango.AttributeInfoEx, alone: bool) -> None:
        kind = tango.CmdArgType.values[info.data_type]
        array = info.data_format != tango.AttrDataFormat.SCALAR
        value = (absurd.many if array else absurd.one)(self._rng, kind)
        before = self._setting(info.name)
        try:
            self.device.write_attribute(info.name, value)
        except tango.DevFailed as error:
            self._look_at(error, f"{info.name} = {str(value)[:60]!r}")
            if alone and self._setting(info.name) != before:
                self.wrong.append(f"{info.name} = {str(value)[:60]!r} is refused and changed it")
        except (TypeError, ValueError, OverflowError):
            pass  # the client itself cannot send it

    def _call(self, info: tango.CommandInfo) -> None:
        arguments = []
        if info.in_type != tango.CmdArgType.DevVoid:
            kind = info.in_type
            array = "Var" in str(kind)
            arguments = [(absurd.many if array else absurd.one)(self._rng, kind)]
        try:
            self.device.command_inout(info.cmd_name, *arguments)
        except tango.DevFailed as error:
            self._look_at(error, f"{info.cmd_name}({str(arguments)[:60]})")
        except (TypeError, ValueError, OverflowError):
            pass  # the client itself cannot send it

    def _look_at(self, error: tango.DevFailed, what: str) -> None:
        self.refused += 1
        first = error.args[0]
        if (
            not first.desc.strip()
            or first.reason == "PyDs_PythonError"
            or "Traceback" in first.desc
        ):
            self.wrong.append(f"{what}: {first.reason} {first.desc[:300]}")

    def _setting(self, name: str) -> object:
        if name not in ATTRIBUTES:
            return None
        return self.device.read_attribute(name).value


@pytest.fixture
def boxed(tmp_path: Path):
    """Run a stack whose device writes nowhere else, whatever path it is told."""
    (tmp_path / "allowed").mkdir()
    stack = Victim(tmp_path, f'[properties]\nOutputFolder = "{tmp_path / "allowed"}"\n')
    stack.start()
    yield stack
    stack.close()


def test_absurd_writes(boxed, outcomes):
    pid = boxed.process("device").pid
    address = boxed.info["device"]
    one, two = Writer(address, 1), Writer(address, 2)
    one.write(WRITES // 2, alone=True)
    threads = [
        threading.Thread(target=writer.write, args=(WRITES // 4, False)) for writer in (one, two)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert boxed.process("device").pid == pid, "the server has lived"
    wrong = one.wrong + two.wrong
    assert not wrong, "\n".join(wrong)
    for name, parameter in ATTRIBUTES.items():
        value = one.device.read_attribute(name).value
        assert parameter.check(value.item() if hasattr(value, "item") else value) == value, name
    with boxed.player() as player:
        reset(player)
        player.write(Accumulate=True)
        wait_for(lambda: player.read("FrameCount") == 0, player.device.status)
    since = time.monotonic()
    seconds = Attempts(boxed).until_one_works(since)
    refused = one.refused + two.refused
    what = f"{one.done + two.done} absurd writes and commands, the second half by two clients"
    outcomes.record(
        Outcome(what, "idle", named=f"{refused} refused, each says why", seconds=seconds)
    )
