"""Frames at full speed into a stack, and stacks with other workers to compare with."""

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

from femtotango.dranspose_client.http import Controller
from femtotango.dranspose_client.trigger_maps import scan_map
from femtotango.simulation.beamline import ScanPlayer
from femtotango.stack.running import running
from pipeline.protocols.stins import Message, stins_end, stins_header, stins_image
from pipeline.simulation.scan import BurstScan

_POLL = 0.005
_AFTER_ASSIGN = 0.1
_LIMIT = 300.0


@dataclass(frozen=True)
class Frames:
    """Some images that are sent again and again."""

    images: Sequence[NDArray[Any]]

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
        totals = [float(np.where(i < 0, 0, i).sum(dtype=np.float64)) for i in self.images]
        return sum(totals[n % len(totals)] for n in range(count))


@contextmanager
def stack_with(**settings: Any) -> Iterator[dict[str, Any]]:
    """Run a stack, with the classes of `baselines` within reach.

    Args:
        settings: of the configuration file; ``streams`` is a list of names.
    """
    streams = settings.pop("streams")
    lines = [f"{key} = {_toml(value)}" for key, value in settings.items()]
    lines += ["[streams]", *(f'{stream} = ""' for stream in streams)]
    with TemporaryDirectory(prefix="femtotango-bench-") as folder:
        config = Path(folder, "stack.toml")
        config.write_text("\n".join(lines))
        environment = {"PYTHONPATH": str(Path(__file__).parent)}
        with running(["up", "--config", str(config)], environment) as info:
            yield info


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + "}"
    return str(value).lower() if isinstance(value, bool) else repr(value)


class DeviceStack:
    """A stack with its device; frames/s until Tango shows the exact FrameCount."""

    def __init__(
        self,
        stream: str,
        exit_stack: ExitStack,
        worker: str = "",
        journal: bool = False,
        **attributes: Any,
    ) -> None:
        """Start it.

        Args:
            stream: name of the camera.
            exit_stack: ends it.
            worker: class of `baselines` to run instead of the project's.
            journal: the reducer keeps a journal.
            attributes: written before anything is sent.
        """
        self._stream = stream
        other: dict[str, Any] = {"worker_class": f"baselines:{worker}"} if worker else {}
        if journal:
            folder = exit_stack.enter_context(TemporaryDirectory(prefix="femtotango-journal-"))
            other["properties"] = {"JournalFolder": folder}
        self.info = exit_stack.enter_context(stack_with(streams=[stream], sardana=False, **other))
        self.player = exit_stack.enter_context(ScanPlayer(self.info))
        self.player.write(Accumulate=True, **attributes)

    def rate(self, frames: Frames, count: int) -> float:
        """Send a series into a new sum and return its rate [frames/s]."""
        player = self.player
        player.device.ResetAccumulation()
        player.prepare(self._stream, BurstScan(steps=1, burst=count), records=False)
        series = frames.series(count)
        start = time.monotonic()
        player.source(self._stream).send(series)
        player.wait_until("FrameCount", lambda shown: shown == count, _LIMIT)
        rate = count / (time.monotonic() - start)
        player.wait_finished()
        return rate


class EmptyStack(DeviceStack):
    """The same with a worker that returns nothing; frames/s until dranspose completed all."""

    def __init__(self, stream: str, exit_stack: ExitStack) -> None:
        super().__init__(stream, exit_stack, "EmptyWorker")
        self._controller = Controller(self.info["controller"])
        exit_stack.callback(self._controller.close)

    def rate(self, frames: Frames, count: int) -> float:
        """Send a series and return its rate [frames/s]."""
        progress = self._controller.progress
        self._controller.set_sequence(scan_map([self._stream], 1, count, records=False))
        series = frames.series(count)
        while progress().last_assigned < 1:
            time.sleep(_POLL)
        time.sleep(_AFTER_ASSIGN)
        start = time.monotonic()
        self.player.source(self._stream).send(series)
        while (newest := progress()).completed < newest.total:
            if time.monotonic() - start > _LIMIT:
                raise TimeoutError(f"{self._stream}: {newest} after {_LIMIT:.0f} s")
            time.sleep(_POLL)
        return count / (time.monotonic() - start)


def alternate(
    stacks: Mapping[str, tuple[DeviceStack, int]], frames: Frames, rounds: int
) -> dict[str, list[float]]:
    """Measure several stacks in turn, so that a busy machine is as busy for each.

    Args:
        stacks: what to measure and the frames of one round, by name.
        frames: what is sent.
        rounds: after one shorter round that is not counted.

    Returns:
        Rates [frames/s] of each round.
    """
    rates: dict[str, list[float]] = {name: [] for name in stacks}
    for round_number in range(rounds + 1):
        for name, (stack, count) in stacks.items():
            rate = stack.rate(frames, count if round_number else count // 5)
            rates[name] += [rate] if round_number else []
    return rates


def ratio(ours: Sequence[float], others: Sequence[float]) -> float:
    """Return the median of the ratios of rounds that were measured one after the other."""
    return statistics.median(a / b for a, b in zip(ours, others, strict=True))
