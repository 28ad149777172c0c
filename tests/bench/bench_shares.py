"""Share of a core that each process takes, idle and at the beamline's 10 Hz."""

import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import cycle, islice, pairwise
from tempfile import TemporaryDirectory

import psutil
from feeding import ROUNDS, camera_frames, stack_with, whole_frame
from processes import processor_time, processor_times, shares
from section import Section, markdown_table

from femtotango.simulation.beamline import ScanPlayer
from pipeline.simulation.scan import BurstScan

_RATE = 10.0
"""[Hz]"""
_SECONDS, _SETTLE = 4.0 * ROUNDS, 5.0
_STRETCH = _SECONDS / 4
_VIEWER_STARTS = 10.0
_IDLE = 15.0
"""[% of a core]"""
_STREAMS = ("pilatus", "andor3_zyla10", "andor3_balor")
_CASES: Mapping[str, Sequence[str]] = {
    "idle": (),
    "Pilatus": ("pilatus",),
    "Zyla": ("andor3_zyla10",),
    "Balor": ("andor3_balor",),
    "all three": _STREAMS,
}
_WITH_VIEWER = ("idle", "Pilatus", "Balor")
_WITHOUT_JOURNAL = ("idle", "Pilatus")
_VIEWER = "viewer"


@dataclass(frozen=True)
class Column:
    """One case."""

    taken: Mapping[str, float]
    """Share of each part [%]."""
    totals: Sequence[float]
    """Of all parts, of each stretch [%]."""
    followed: bool | None
    """The frames of a second ago were counted at the end; None: there were no frames."""


def run() -> Section:
    """Measure all cases with a journal; some with a viewer, some without the journal."""
    columns: dict[str, Column] = {}
    for journal in (True, False):
        with ExitStack() as exit_stack:
            folder = exit_stack.enter_context(TemporaryDirectory(prefix="femtotango-journal-"))
            properties = {"properties": {"JournalFolder": folder}} if journal else {}
            info = exit_stack.enter_context(stack_with(streams=list(_STREAMS), **properties))
            player = exit_stack.enter_context(ScanPlayer(info))
            player.write(Accumulate=True, PhotonRoi=whole_frame("andor3_balor"))
            for title in _CASES if journal else _WITHOUT_JOURNAL:
                name = title if journal else f"{title}, no journal"
                columns[name] = measure(player, _CASES[title])
            if journal:
                viewer = exit_stack.enter_context(open_viewer(info["device"]))
                for title in _WITH_VIEWER:
                    columns[f"{title}, viewer"] = measure(player, _CASES[title], viewer)
    return section(columns)


def section(columns: Mapping[str, Column]) -> Section:
    """Write what was measured."""
    names = sorted({name for column in columns.values() for name in column.taken} - {_VIEWER})
    rows = [
        [name, *(f"{c.taken.get(name, 0):.1f}" for c in columns.values())]
        for name in (*names, _VIEWER)
    ]
    stack = {t: sum(c.taken.values()) - c.taken.get(_VIEWER, 0) for t, c in columns.items()}
    rows.append(["all but the viewer", *(f"{total:.0f}" for total in stack.values())])
    spreads = [f"{min(c.totals):.0f}–{max(c.totals):.0f}" for c in columns.values()]
    rows.append([f"the same in {_STRETCH:g} s", *spreads])
    text = (
        f"Share of a core [%] over {_SECONDS:.0f} s, {_RATE:g} shots a second; four ingesters, two "
        "workers, Balor with photon finding on the whole frame; the source is not counted. The "
        "viewer draws into memory, without a screen.\n\n"
        + markdown_table(["% of a core", *columns], rows)
    )
    demands = [(f"idle at most {_IDLE:g} %: {stack['idle']:.0f} %", stack["idle"] <= _IDLE)]
    demands += [
        (f"{title}: nothing queues, FrameCount follows within a second", column.followed)
        for title, column in columns.items()
        if column.followed is not None
    ]
    return Section(
        "Share of a core", text, demands, {f"share, {t} [%]": v for t, v in stack.items()}
    )


@contextmanager
def open_viewer(device: str) -> Iterator[psutil.Process]:
    """Run a viewer of the device without a screen, as long as the block lasts."""
    line = [sys.executable, "-m", "femtotango.cli", "viewer", device]
    process = psutil.Popen(line, env={**os.environ, "QT_QPA_PLATFORM": "offscreen"})
    try:
        time.sleep(_VIEWER_STARTS)
        assert process.poll() is None, f"the viewer ended with {process.returncode}"
        yield process
    finally:
        process.terminate()
        process.wait()


def measure(
    player: ScanPlayer, streams: Sequence[str], viewer: psutil.Process | None = None
) -> Column:
    """Measure while some cameras shoot.

    Args:
        player: of the stack.
        streams: of the cameras.
        viewer: that looks at it.
    """

    def times() -> tuple[float, dict[str, float], dict[str, float]]:
        seen = {_VIEWER: processor_time(viewer)} if viewer else {}
        return time.monotonic(), processor_times(player.info["pid"]), seen

    with shooting(player, streams) as sent:
        time.sleep(_SETTLE)
        looks = [times()]
        for _ in range(round(_SECONDS / _STRETCH)):
            time.sleep(_STRETCH - 1.0)
            announced = sent[-1] if sent else 0
            time.sleep(1.0)
            counts = [player.read(f"FrameCount_{stream}") for stream in streams]
            looks.append(times())
    (start, before, viewed), (end, after, view) = looks[0], looks[-1]
    totals = [sum(shares(a[1], b[1], b[0] - a[0]).values()) for a, b in pairwise(looks)]
    taken = shares({**before, **viewed}, {**after, **view}, end - start)
    followed = all(count >= announced for count in counts) if streams else None
    return Column(taken, totals, followed)


@contextmanager
def shooting(player: ScanPlayer, streams: Sequence[str]) -> Iterator[list[int]]:
    """Send shots of some cameras as long as the block lasts; yields the numbers sent so far."""
    sent: list[int] = []
    if not streams:
        yield sent
        return
    player.device.ResetAccumulation()
    shots = round((_SETTLE + _SECONDS + 5) * _RATE)
    scan = BurstScan(steps=1, burst=shots)
    player.prepare(streams, scan, records=False)
    images = {s: islice(cycle(camera_frames(s, 8).images), shots) for s in streams}
    thread = threading.Thread(
        target=player.play_together,
        args=(images, scan),
        kwargs={"records": False, "rate": _RATE, "sent": sent.append},
    )
    thread.start()
    try:
        yield sent
    finally:
        thread.join()
        player.wait_finished()
