"""Share of a core that each process takes, idle and at the beamline's 10 Hz."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import cycle, islice
from tempfile import TemporaryDirectory

from feeding import camera_frames, stack_with, whole_frame
from processes import processor_times, shares
from section import Section, markdown_table

from femtotango.simulation.beamline import ScanPlayer
from pipeline.simulation.scan import BurstScan

_RATE = 10.0
"""[Hz]"""
_SECONDS, _SETTLE = 20.0, 5.0
_IDLE = 15.0
"""[% of a core]"""
_STREAMS = ("pilatus", "andor3_zyla10", "andor3_balor")
_CASES: tuple[tuple[str, Sequence[str]], ...] = (
    ("idle", ()),
    ("Pilatus", ("pilatus",)),
    ("Pilatus, Zyla", ("pilatus", "andor3_zyla10")),
    ("Pilatus, Balor", ("pilatus", "andor3_balor")),
)


def run() -> Section:
    """Measure all cases with a journal; and the first two without."""
    columns, late = {}, {}
    for journal in (True, False):
        with ExitStack() as exit_stack:
            folder = exit_stack.enter_context(TemporaryDirectory(prefix="femtotango-journal-"))
            properties = {"properties": {"JournalFolder": folder}} if journal else {}
            info = exit_stack.enter_context(stack_with(streams=list(_STREAMS), **properties))
            player = exit_stack.enter_context(ScanPlayer(info))
            player.write(Accumulate=True, PhotonRoi=whole_frame("andor3_balor"))
            for title, streams in _CASES if journal else _CASES[:2]:
                title = title if journal else f"{title}, no journal"
                columns[title], late[title] = measure(player, streams)
    names = sorted({name for column in columns.values() for name in column})
    rows = [[n, *(f"{c.get(n, 0):.1f}" for c in columns.values())] for n in names]
    totals = {title: sum(column.values()) for title, column in columns.items()}
    rows.append(["all", *(f"{total:.0f}" for total in totals.values())])
    text = (
        f"Share of a core [%] over {_SECONDS:.0f} s, {_RATE:g} shots a second; five ingesters, two "
        "workers, Balor with photon finding on the whole frame; the source is not counted.\n\n"
        + markdown_table(["% of a core", *columns], rows)
    )
    demands = [(f"idle at most {_IDLE:g} %: {totals['idle']:.0f} %", totals["idle"] <= _IDLE)]
    demands += [
        (f"{title}: nothing queues, FrameCount follows within a second", ok)
        for title, ok in late.items()
    ]
    return Section(
        "Share of a core", text, demands, {f"share, {t} [%]": v for t, v in totals.items()}
    )


def measure(player: ScanPlayer, streams: Sequence[str]) -> tuple[dict[str, float], bool]:
    """Return the share of each part [%], and whether the frames of a second ago were counted."""
    pid = player.info["pid"]
    with shooting(player, streams) as sent:
        time.sleep(_SETTLE)
        before, start = processor_times(pid), time.monotonic()
        time.sleep(_SECONDS - 1.0)
        announced = sent[-1] if sent else 0
        time.sleep(1.0)
        counts = [player.read(f"FrameCount_{stream}") for stream in streams]
        taken = shares(before, processor_times(pid), time.monotonic() - start)
    return taken, all(count >= announced for count in counts)


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
