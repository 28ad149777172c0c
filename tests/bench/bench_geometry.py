"""Changing the distance while Pilatus frames come in: how soon the curve follows, what it costs."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from feeding import Frames, stack_with
from section import Section, markdown_table

from femtotango.simulation.beamline import ScanPlayer
from pipeline.simulation.scan import BurstScan, detector_frames

STREAM = "pilatus"
_FRAMES, _ROUNDS, _POOL = 1000, 4, 24
_DISTANCES = (0.131, 0.141)
_CHANGE_EVERY = 0.7
_FOLLOWS_WITHIN = 1.0
_COSTS_AT_MOST = 0.1
"""Share of the frame rate: what two equal rounds differ by on a busy machine."""
_POLL = 0.01
_LIMIT = 120.0


class _Round:
    """One scan of frames at full speed."""

    def __init__(self, player: ScanPlayer, frames: Frames, *, change: bool) -> None:
        self._player, self._frames, self._change = player, frames, change
        self.delays: list[float] = []
        """From writing a distance to the curve's new axis [s]."""

    def run(self) -> float:
        """Play the scan and return its frames/s.

        Raises:
            AssertionError: a frame was lost or came twice.
        """
        player = self._player
        player.device.ResetAccumulation()
        player.prepare(STREAM, BurstScan(steps=1, burst=_FRAMES), records=False)
        series = self._frames.series(_FRAMES)
        start = time.monotonic()
        with ThreadPoolExecutor(1) as pool:
            # The source waits for the pipeline; the client goes on meanwhile.
            sent = pool.submit(player.source(STREAM).send, series)
            self._follow(start)
            sent.result()
        rate = _FRAMES / (time.monotonic() - start)
        player.wait_finished()
        assert player.read("FrameCount") == _FRAMES
        return rate

    def _follow(self, start: float) -> None:
        """Write distances until all frames are there."""
        player = self._player
        changed, last_q = start, self._last_q()
        waiting = False
        while (shown := player.read("FrameCount")) != _FRAMES:
            now = time.monotonic()
            if now - start > _LIMIT:
                raise TimeoutError(f"{shown} of {_FRAMES} frames after {_LIMIT:.0f} s")
            q = self._last_q()
            if waiting and q != last_q:
                self.delays.append(now - changed)
                waiting = False
            if not waiting and now - changed > _CHANGE_EVERY and shown:
                changed, last_q = now, q
                if self._change:
                    self._write_other_distance()
                    waiting = True
            time.sleep(_POLL)

    def _last_q(self) -> float:
        q = np.asarray(self._player.read("AzimuthalQ"))
        return float(q[-1]) if q.size else 0.0

    def _write_other_distance(self) -> None:
        now = self._player.device.Distance
        self._player.write(Distance=_DISTANCES[1] if now == _DISTANCES[0] else _DISTANCES[0])


def run() -> Section:
    """Play rounds with a distance that stays and with one that changes, alternately."""
    frames = Frames(list(detector_frames(STREAM, 1, [1.5] * _POOL)))
    rates: dict[bool, list[float]] = {False: [], True: []}
    delays: list[float] = []
    with stack_with(streams=[STREAM], sardana=False) as info, ScanPlayer(info) as player:
        player.write(Accumulate=True, PhotonEnergy=13.5, Distance=_DISTANCES[0])
        player.write(BeamX=210.0, BeamY=373.0)
        _Round(player, frames, change=True).run()
        for _ in range(_ROUNDS):
            for change in (False, True):
                one = _Round(player, frames, change=change)
                rates[change].append(one.run())
                delays += one.delays
    still, moved = (statistics.median(rates[change]) for change in (False, True))
    cost = 1 - moved / still
    rows = [
        [
            name,
            f"{statistics.median(rates[change]):.0f}",
            ", ".join(f"{r:.0f}" for r in rates[change]),
        ]
        for name, change in (("stays", False), ("changes", True))
    ]
    text = (
        f"{_FRAMES} frames of 831×1475 in a scan, integrated to 1000 bins while they come in. The "
        f"distance was changed {len(delays)} times; the new axis was in `AzimuthalQ` after "
        f"{statistics.median(delays):.2f} s (median), {max(delays):.2f} s at most.\n\n"
        + markdown_table(["distance", "frames/s, median", "all"], rows)
    )
    demands = [
        (f"AzimuthalQ follows within {_FOLLOWS_WITHIN:g} s", max(delays) < _FOLLOWS_WITHIN),
        (f"changes cost less than {_COSTS_AT_MOST:.0%}: {cost:.1%}", cost < _COSTS_AT_MOST),
    ]
    return Section("Geometry that changes during a scan", text, demands)
