"""Run many frames through a stack while all sorts of things happen: `make soak`.

    python tests/soak/run.py [FRAMES]     100 000 unless it is said

Scans of small Pilatus frames at a few hundred per second are summed. Settings change all the time,
one scan in five is stopped in its middle, and the reducer is killed once each 10 000 frames. Two
things have to hold, or this ends with 1:

- the sum has exactly the frames that were sent, but for those that `FailedFrames` counts;
- memory is flat: each process's PSS at the end is at most `GROWTH` above the highest one that was
  seen in the first tenth or, where it was restarted since, in the first tenth of its life.
"""

import os
import random
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import psutil
import tango
from support.killing import processes
from support.victim import PARTS, STREAM, Victim
from support.waiting import wait_for

from femtotango.simulation.beamline import ScanPlayer
from femtotango.simulation.detector_socket import PushSource
from pipeline.protocols.stins import stins_end, stins_header, stins_image
from pipeline.simulation.scan import BurstScan

SHAPE = (64, 96)
RATE = 300.0
"""Frames per second."""
SCAN = 500
"""Frames of one scan."""
KILL_EACH = 10_000
STOP_EACH = 5
"""One scan in so many is stopped in its middle."""
GROWTH = 1.15, 15.0
"""Memory is flat up to this factor, or these MB: arenas of malloc that fill slowly."""
_MB = 1 << 20


def frames(number: int) -> np.ndarray:
    """A frame that says in its pixels which one it is."""
    pixels = np.zeros(SHAPE, np.float32)
    pixels.reshape(-1)[number % pixels.size] = 1
    return pixels


@dataclass
class Memory:
    """PSS [MB] of each process over the frames."""

    seen: dict[str, list[tuple[int, int, float]]] = field(default_factory=dict)
    """Frames so far, process id and PSS, by part."""

    def look(self, victim: Victim, done: int) -> None:
        """Take a reading of all processes."""
        lines = {**processes(victim.info), victim.info["pid"]: "up"}
        for pid, line in lines.items():
            name = next((n for n, sign in PARTS.items() if sign and sign in line), "up")
            name = "worker 2" if "-n worker2" in line else name
            try:
                pss = psutil.Process(pid).memory_full_info().pss / _MB
            except psutil.NoSuchProcess:
                continue
            self.seen.setdefault(name, []).append((done, pid, pss))

    def rows(self, total: int) -> list[tuple[str, float, float, bool]]:
        """Return part, PSS after the first tenth, at the end, and whether that is flat."""
        rows = []
        for name, readings in sorted(self.seen.items()):
            newest = readings[-1][1]
            life = [(done, pss) for done, pid, pss in readings if pid == newest]
            begin = life[0][0]
            early = [pss for done, pss in life if done <= begin + max(total / 10, 2 * SCAN)]
            first, last = max(early), life[-1][1]
            rows.append((name, first, last, last <= max(first * GROWTH[0], first + GROWTH[1])))
        return rows


class Soak:
    """One run."""

    def __init__(self, victim: Victim, player: ScanPlayer, total: int) -> None:
        self.victim, self.player, self.total = victim, player, total
        self.sent = self.scans = self.stopped = self.kills = 0
        self.memory = Memory()
        self._rng = random.Random(8)
        self._failed_before = player.read("FailedFrames")
        self.never_sent = 0
        """Frames of stopped scans that the detector has not sent; FailedFrames has them too."""

    def run(self) -> None:
        """Send all frames."""
        while self.sent < self.total:
            self._scan(min(SCAN, self.total - self.sent))
            self.scans += 1
            self.memory.look(self.victim, self.sent)
            print(f"{self.sent} frames, {self.kills} kills", flush=True)

    def _scan(self, count: int) -> None:
        stop = self.scans % STOP_EACH == STOP_EACH - 1
        kill = (self.sent + KILL_EACH // 2) // KILL_EACH > self.kills  # in the middle of each
        self._prepare(BurstScan(steps=1, burst=count))
        part = count // 2 if stop else count
        begin = time.monotonic()
        with PushSource(self.player.info["streams"][STREAM]) as source:
            source.send([stins_header(0)])
            for number in range(part):
                source.send([stins_image(number + 1, number, frames(self.sent + number))])
                if number % 100 == 50:
                    self._change()
                if kill and number == part // 3:
                    self.victim.process("reducer").kill()
                    self.kills += 1
                time.sleep(max(0.0, begin + number / RATE - time.monotonic()))
            if not stop:
                source.send([stins_end(part + 1)])
        self.sent += part
        if stop:
            self._settle()
            self.player.device.StopScan()
            self.never_sent += count - part
            self.stopped += 1
        self.player.wait_finished(120.0)

    def _settle(self) -> None:
        """Wait until what was sent has come: what StopScan leaves on its way is another test's."""
        before = -1
        while (now := self.player.read("EventsProcessed") or 0) != before:
            before = now
            time.sleep(0.5)

    def _prepare(self, scan: BurstScan) -> None:
        def prepared() -> bool:
            try:
                self.player.prepare(STREAM, scan, records=False)
            except tango.DevFailed:
                return False
            return True

        wait_for(prepared, self.player.device.status)

    def _change(self) -> None:
        """Change a setting that has no part in the sum."""
        name, value = self._rng.choice(
            [
                ("CmosThreshold", self._rng.uniform(0, 50)),
                ("PhotonThreshold", self._rng.uniform(100, 200)),
                ("HistogramBins", self._rng.randrange(10, 500)),
                (
                    "Rois",
                    f'{{"a": {{"x": {self._rng.randrange(60)}, "y": 1, "width": 9, "height": 9}}}}',
                ),
                ("MaxFilter", self._rng.random() < 0.5),
            ]
        )
        self.player.write(**{name: value})

    def lost(self) -> tuple[int, int]:
        """Return the frames that are missing in the sum, and those that are named as lost."""

        def counts() -> tuple[int, int] | None:
            shown, failed = self.player.read("FrameCount"), self.player.read("FailedFrames")
            if shown is None or failed is None:
                return None
            missing = self.sent - shown
            named = failed - self._failed_before - self.never_sent
            return (missing, named) if 0 <= missing <= named else None

        found = wait_for(
            counts,
            lambda: f"{counts()}: {self.sent} frames. {self.player.device.status()}",
        )
        image = np.nan_to_num(self.player.read("AccumulatedImage"), nan=0)
        assert int(image.sum()) == self.player.read("FrameCount"), "each frame is one count"
        return found


def main(total: int = 100_000) -> int:
    """Run it, and print what docs/reliability.md says."""
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="femtotango-soak-") as name:
        victim = Victim(Path(name))
        victim.start()
        try:
            with victim.player() as player:
                player.write(Accumulate=True)
                soak = Soak(victim, player, total)
                soak.run()
                missing, named = soak.lost()
                soak.memory.look(victim, soak.sent)
        finally:
            victim.close()
    rows = soak.memory.rows(total)
    print(report(soak, missing, named, time.monotonic() - begin, rows))
    return 0 if all(flat for *_, flat in rows) else 1


def report(soak: Soak, missing: int, named: int, took: float, rows: Any) -> str:
    """Say it as Markdown."""
    lines = [
        f"{soak.sent} frames of {SHAPE[0]}×{SHAPE[1]} pixels in {soak.scans} scans, of which "
        f"{soak.stopped} were stopped, {soak.kills} kills of the reducer, in {took:.0f} s on "
        f"{os.cpu_count()} cores: {missing} frames are missing in the sum, {named} named as lost.",
        "",
        "| PSS [MB] | first tenth | end | flat |",
        "|---|---:|---:|---|",
    ]
    for name, first, last, flat in rows:
        lines.append(f"| {name} | {first:.0f} | {last:.0f} | {'yes' if flat else '**no**'} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:2])))
