"""The viewer while a 4104×4128 image changes: time that input has to wait, and memory."""

import gc
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import psutil
from feeding import stack_with
from section import Section, markdown_table
from support.changing_image import changing

from femtotango.simulation.beamline import ScanPlayer
from pipeline.simulation.scan import BurstScan, detector_frames

BALOR = "andor3_balor"
SHAPE = (4104, 4128)
SCAN = BurstScan(steps=1, burst=2)
RATE = 5.0
"""New images per second."""
_UPDATES, _ROUNDS = 20, 3
_SIZE = (1920, 1080)
_TIMES_BARE = 1.5
"""A redraw of the whole window may take this many times as long as one of a bare plot."""
_GROWTH_MB = 12.0
"""One preview has 0.8 MB, one full image 68 MB."""
_LIMIT = 60.0
_MB = 1 << 20


class _Window:
    """The viewer and a bare silx plot in one Qt application."""

    def __init__(self, device: str) -> None:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        import taurus

        taurus.setLogLevel(taurus.Error)
        from taurus.external.qt import QtWidgets

        from silx.gui.plot import Plot2D  # isort: skip

        from femtotango.gui.window import ViewerWindow

        self.application = QtWidgets.QApplication(["bench"])
        self.viewer = ViewerWindow(device)
        self.viewer.resize(*_SIZE)
        self.viewer.show()
        self.bare = Plot2D(backend="mpl")
        self._shown = 0
        self.viewer.link.changed.connect(self._changed)

    def _changed(self, names: frozenset[str]) -> None:
        self._shown += "PreviewImage" in names

    def wait(self, condition: Callable[[], Any]) -> None:
        """Run the event loop until a condition holds.

        Raises:
            TimeoutError: it does not hold in time.
        """
        end = time.monotonic() + _LIMIT
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(f"not within {_LIMIT:.0f} s")
            self.application.processEvents()
            time.sleep(0.002)

    def turns(self, updates: int) -> list[float]:
        """Return the processor time [s] of each turn of the event loop, over so many images."""
        times: list[float] = []
        end = self._shown + updates

        def turn() -> bool:
            start = time.thread_time()
            self.application.processEvents()
            times.append(time.thread_time() - start)
            return self._shown >= end

        self.wait(turn)
        return times

    def bare_turns(self, updates: int) -> list[float]:
        """Return the same for a bare plot of the same preview and size."""
        plot = self.viewer.image.plot
        data = plot.getImage("preview").getData()
        self.bare.resize(plot.size())
        self.bare.show()
        item = self.bare.addImage(data)
        times = []
        for number in range(updates):
            item.setData(data + number)
            for _ in range(5):
                start = time.thread_time()
                self.application.processEvents()
                times.append(time.thread_time() - start)
                time.sleep(0.002)
        self.bare.hide()
        return times


def run() -> Section:
    """Compare the longest turns of the event loop in alternating rounds, whole and zoomed."""
    from femtotango.gui.device_link.link import close_links

    rows, demands = [], []
    with stack_with(streams=[BALOR], sardana=False) as info, ScanPlayer(info) as player:
        player.write(
            Rois='{"a": {"x": 100, "y": 200, "width": 300, "height": 400}}', Accumulate=True
        )
        player.prepare(BALOR, SCAN, records=False)
        frames = detector_frames(BALOR, 1, SCAN.frame_positions)
        player.play(BALOR, frames, SCAN, records=False)
        player.wait_finished()
        window = _Window(info["device"])
        plot = window.viewer.image.plot
        window.wait(lambda: plot.image_shape == SHAPE)
        try:
            for zoomed in (False, True):
                if zoomed:
                    plot.setLimits(1000, 2000, 1000, 1600)
                    window.wait(lambda: plot.shown.getScale()[0] == 1)
                longest, bare, grown = _measure(window, info["device"])
                name = "zoomed" if zoomed else "whole image"
                rows.append([name, f"{1e3 * longest:.0f}", f"{1e3 * bare:.0f}", f"{grown:.1f}"])
                ratio = longest / bare
                demands.append(
                    (
                        f"{name}: a redraw takes less than {_TIMES_BARE:g} times a bare plot's: "
                        f"{ratio:.1f}",
                        ratio < _TIMES_BARE,
                    )
                )
                demands.append(
                    (f"{name}: memory grows by less than {_GROWTH_MB:g} MB", grown < _GROWTH_MB)
                )
        finally:
            window.viewer.close()
            close_links()
    text = (
        f"An image of {SHAPE[0]}×{SHAPE[1]} that changes {RATE:g} times a second, in a window of "
        f"{_SIZE[0]}×{_SIZE[1]}. Input waits for one turn of the event loop at most; the 99th "
        "percentile of their processor time, beside that of a bare plot of the same preview in "
        "the same run, and the growth of the resident memory over "
        f"{_ROUNDS * _UPDATES} images:\n\n"
        + markdown_table(["view", "viewer [ms]", "bare plot [ms]", "growth [MB]"], rows)
    )
    return Section("Viewer", text, demands)


def _measure(window: _Window, device: str) -> tuple[float, float, float]:
    """Return the longest turns [s] of viewer and bare plot, and the growth of memory [MB]."""
    process = psutil.Process()
    turns: list[float] = []
    bare: list[float] = []
    with changing(device, RATE):
        window.turns(_UPDATES)
        gc.collect()
        before = process.memory_info().rss
        window.turns(_ROUNDS * _UPDATES)
        gc.collect()
        grown = (process.memory_info().rss - before) / _MB
        window.bare_turns(_UPDATES)
        for _ in range(_ROUNDS):
            turns += window.turns(_UPDATES)
            bare += window.bare_turns(_UPDATES)
    return float(np.percentile(turns, 99)), float(np.percentile(bare, 99)), grown
