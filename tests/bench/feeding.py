"""Frames at full speed into a stack, and stacks with other workers to compare with."""

import math
import os
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from processes import processor_times

from femtotango.dranspose_client.controller import Controller
from femtotango.dranspose_client.trigger_maps import scan_map
from femtotango.simulation.beamline import ScanPlayer
from femtotango.simulation.detector_socket import send_together
from femtotango.stack.running import running
from pipeline.model.cameras import CAMERAS
from pipeline.model.parameters import Settings
from pipeline.model.roi import Roi, format_photon_roi
from pipeline.protocols.stins import Message, stins_end, stins_header, stins_image
from pipeline.simulation.scan import BurstScan, detector_frames

ROUNDS = int(os.environ.get("FEMTOTANGO_BENCH_ROUNDS", 5))
"""Of each measurement in turn."""
_POLL = 0.02
"""How often it is asked whether a series is over, as `ScanPlayer` asks the device [s]."""
_AFTER_ASSIGN = 0.1
_LIMIT = 300.0


@dataclass(frozen=True)
class Frames:
    """Some images that are sent again and again."""

    images: Sequence[NDArray[Any]]
    background: float = 0.0
    """Is subtracted [ADU]."""
    threshold: float = 0.0
    """What is not above it after that is not summed."""

    @cached_property
    def _pixels(self) -> list[bytes]:
        # Encoded once for all stacks: what the source costs is the same for each.
        return [stins_image(0, 0, image)[1] for image in self.images]

    def series(self, count: int) -> Iterator[Message]:
        """Return the messages of a series."""
        data = self._pixels
        heads = [stins_image(n + 1, n, self.images[0])[0] for n in range(count)]
        yield stins_header(0)
        for number in range(count):
            yield [heads[number], data[number % len(data)]]
        yield stins_end(count + 1)

    def sum(self, count: int) -> float:
        """Return the sum over all valid pixels of so many frames."""
        above = [image.astype(np.float64) - self.background for image in self.images]
        totals = [float(image[image > self.threshold].sum()) for image in above]
        return sum(totals[n % len(totals)] for n in range(count))


def whole_frame(stream: str) -> str:
    """Return the photon ROI that is a camera's whole frame, as JSON."""
    ny, nx = CAMERAS[stream].shape
    return format_photon_roi(Roi(0, 0, nx, ny))


def camera_frames(stream: str, images: int) -> Frames:
    """Return some of a camera's simulated frames.

    Args:
        stream: of the camera.
        images: how many different ones.
    """
    simulated = list(detector_frames(stream, 1, [1.5] * images))
    if CAMERAS[stream].photon_counting:
        return Frames(simulated)
    return Frames(simulated, Settings().background, Settings().cmos_threshold)


@contextmanager
def stack_with(**settings: Any) -> Iterator[dict[str, Any]]:
    """Run a stack, with the workers to compare with within reach.

    Args:
        settings: of the configuration file; ``streams`` is a list of names.
    """
    streams = settings.pop("streams")
    lines = [f"{key} = {_toml(value)}" for key, value in settings.items()]
    lines += ["[streams]", *(f'{stream} = ""' for stream in streams)]
    with TemporaryDirectory(prefix="femtotango-bench-") as folder:
        config = Path(folder, "stack.toml")
        config.write_text("\n".join(lines))
        found = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
        environment = {"PYTHONPATH": os.pathsep.join(filter(None, found))}
        with running(["up", "--config", str(config)], environment) as info:
            yield info


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + "}"
    return str(value).lower() if isinstance(value, bool) else repr(value)


@dataclass(frozen=True)
class Run:
    """What one series took."""

    rate: float
    """Shots per second."""
    parts: Mapping[str, float]
    """Processor time of each part of the stack, user and system, of one shot [s]."""

    @property
    def processor(self) -> float:
        """Processor time of the whole stack, of one shot [s]."""
        return sum(self.parts.values())


class DeviceStack:
    """A stack with its device; a series is over when Tango shows the exact FrameCount."""

    def __init__(
        self,
        streams: str | Sequence[str],
        exit_stack: ExitStack,
        worker: str = "",
        journal: bool = False,
        workers: int = 2,
        reducer: str = "",
        update_rate: float | None = None,
        **attributes: Any,
    ) -> None:
        """Start it.

        Args:
            streams: names of the cameras.
            exit_stack: ends it.
            worker: class to run instead of the project's, as ``module:class``.
            journal: the reducer keeps a journal.
            workers: number of them.
            reducer: the same of the reducer.
            update_rate: how often the device fetches results [Hz]; None: its default.
            attributes: written before anything is sent.
        """
        self._streams = [streams] if isinstance(streams, str) else list(streams)
        other: dict[str, Any] = {"worker_class": worker} if worker else {}
        if reducer:
            other["reducer_class"] = reducer
        properties = {}
        if journal:
            folder = exit_stack.enter_context(TemporaryDirectory(prefix="femtotango-journal-"))
            properties["JournalFolder"] = folder
        if update_rate is not None:
            properties["UpdateRate"] = str(update_rate)
        if properties:
            other["properties"] = properties
        settings = {"streams": self._streams, "sardana": False, "workers": workers, **other}
        self.info = exit_stack.enter_context(stack_with(**settings))
        self.player = exit_stack.enter_context(ScanPlayer(self.info))
        self.player.write(Accumulate=True, **attributes)

    def run(self, frames: "Frames | Mapping[str, Frames]", count: int, add: bool = False) -> Run:
        """Send a series.

        Args:
            frames: of the camera, or by stream.
            count: shots.
            add: to the sum; else it is begun anew.
        """
        feeds = frames if isinstance(frames, Mapping) else {self._streams[0]: frames}
        before = self._begin(count, add)
        sources = {stream: self.player.source(stream) for stream in feeds}
        series = {stream: feed.series(count) for stream, feed in feeds.items()}
        busy, start = processor_times(self.info["pid"]), time.monotonic()
        send_together(sources, series)
        self._wait(before + count)
        took = time.monotonic() - start
        spent = processor_times(self.info["pid"])
        self._end()
        return Run(count / took, {part: (spent[part] - busy[part]) / count for part in spent})

    def has_summed(self, feeds: Mapping[str, Frames], count: int) -> bool:
        """Return whether each camera's sum is numpy's, after a series.

        Args:
            feeds: what was sent, by stream.
            count: shots.
        """
        return all(
            math.isclose(self.player.read(f"ImageSum_{s}"), feed.sum(count), rel_tol=1e-9)
            for s, feed in feeds.items()
        )

    def _begin(self, count: int, add: bool) -> int:
        """Prepare the series; return the FrameCount before it."""
        before = self.player.read("FrameCount") if add else 0
        if not add:
            self.player.device.ResetAccumulation()
        scan = BurstScan(steps=1, burst=count)
        self.player.prepare(self._streams, scan, records=False)
        return before

    def _wait(self, count: int) -> None:
        for stream in self._streams:
            self.player.wait_until(f"FrameCount_{stream}", lambda shown: shown == count, _LIMIT)

    def _end(self) -> None:
        self.player.wait_finished()


class EmptyStack(DeviceStack):
    """The same with a worker that returns nothing; a series is over when dranspose completed it."""

    def __init__(
        self,
        streams: str | Sequence[str],
        exit_stack: ExitStack,
        worker: str = "baselines:EmptyWorker",
        reducer: str = "",
    ) -> None:
        super().__init__(streams, exit_stack, worker, reducer=reducer)
        self._controller = Controller(self.info["controller"])
        exit_stack.callback(self._controller.close)

    def _begin(self, count: int, add: bool) -> int:
        self._controller.set_sequence(scan_map(self._streams, 1, count, records=False))
        while self._controller.progress().last_assigned < 1:
            time.sleep(_POLL)
        time.sleep(_AFTER_ASSIGN)
        return 0

    def _wait(self, count: int) -> None:
        start = time.monotonic()
        while (newest := self._controller.progress()).completed < newest.total:
            if time.monotonic() - start > _LIMIT:
                raise TimeoutError(f"{self._streams}: {newest} after {_LIMIT:.0f} s")
            time.sleep(_POLL)

    def _end(self) -> None:
        """Have nothing to wait for."""


def alternate_runs(
    stacks: Mapping[str, tuple[DeviceStack, int]],
    frames: Frames | Mapping[str, Frames],
    rounds: int,
) -> dict[str, list[Run]]:
    """Measure several stacks in turn, so that a busy machine is as busy for each.

    Args:
        stacks: what to measure and the shots of one round, by name.
        frames: what is sent.
        rounds: after one shorter round that is not counted.

    Returns:
        What each round took.
    """
    runs: dict[str, list[Run]] = {name: [] for name in stacks}
    for round_number in range(rounds + 1):
        for name, (stack, count) in stacks.items():
            run = stack.run(frames, count if round_number else count // 5)
            runs[name] += [run] if round_number else []
    return runs


def alternate(
    stacks: Mapping[str, tuple[DeviceStack, int]], frames: Frames, rounds: int
) -> dict[str, list[float]]:
    """Return the rates [frames/s] of each round of `alternate_runs`."""
    runs = alternate_runs(stacks, frames, rounds)
    return {name: [run.rate for run in of_stack] for name, of_stack in runs.items()}


def ratio(ours: Sequence[float], others: Sequence[float]) -> float:
    """Return the median of the ratios of rounds that were measured one after the other."""
    return statistics.median(a / b for a, b in zip(ours, others, strict=True))
