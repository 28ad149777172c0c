"""Memory of all processes over many small frames."""

import time

import numpy as np
from feeding import Frames, stack_with
from processes import named_processes
from section import Section, markdown_table

from femtotango.simulation.beamline import ScanPlayer
from pipeline.simulation.scan import BurstScan

STREAM = "andor3_zyla10"
_FRAMES, _PARTS = 20_000, 4
_SHAPE = (64, 64)
_GROWTH_MB = 60.0
_OURS = ("device", "reducer", "worker1", "worker2")
_MB = 1 << 20


def memory(pid: int) -> dict[str, float]:
    """Return the resident memory [MB] of each process below `femtotango up`, by name."""
    named = named_processes(pid)
    return {name: sum(p.memory_info().rss for p in found) / _MB for name, found in named.items()}


def run() -> Section:
    """Send all frames as one scan and look at the memory on the way."""
    rng = np.random.default_rng(1)
    frames = Frames([rng.integers(90, 400, _SHAPE, np.uint16) for _ in range(16)])
    looks: list[dict[str, float]] = []
    with stack_with(streams=[STREAM]) as info, ScanPlayer(info) as player:
        player.write(Accumulate=True, Rois='{"a": {"x": 8, "y": 8, "width": 20, "height": 20}}')
        player.prepare(STREAM, BurstScan(steps=1, burst=_FRAMES), records=False)
        looks.append(memory(info["pid"]))
        messages = frames.series(_FRAMES)
        start = time.monotonic()
        for part in range(_PARTS):
            last = part == _PARTS - 1
            count = _FRAMES // _PARTS
            some = (next(messages) for _ in range(count + (2 if last else 0)))
            player.source(STREAM).send(some)
            if not last:
                least = (part + 1) * count - 100
                player.wait_until("EventsProcessed", lambda n, least=least: n >= least, 200)
            else:
                player.wait_finished(200)
            looks.append(memory(info["pid"]))
        rate = _FRAMES / (time.monotonic() - start)
        assert player.read("FrameCount") == _FRAMES, f"{player.read('FrameCount')} frames"
    head = ["MB", "before", *(f"{(p + 1) * _FRAMES // _PARTS}" for p in range(_PARTS))]
    rows = [[name, *(f"{look[name]:.0f}" for look in looks)] for name in sorted(looks[0])]
    growth = {name: looks[-1][name] - looks[1][name] for name in _OURS}
    text = (
        f"Resident memory while {_FRAMES} frames of {_SHAPE[0]}×{_SHAPE[1]} pixels are summed with "
        f"one ROI, {rate:.0f} frames/s:\n\n" + markdown_table(head, rows)
    )
    worst = max(growth, key=lambda name: growth[name])
    demand = f"worker, reducer and device grow by less than {_GROWTH_MB:.0f} MB: {worst} "
    return Section(
        "Memory",
        text,
        [(f"{demand}{growth[worst]:.0f} MB", growth[worst] < _GROWTH_MB)],
    )
