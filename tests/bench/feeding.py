"""Frames at full speed into a stack, and stacks with other workers to compare with."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

from femtotango.commands.push_source import PushSource
from femtotango.stack.running import running
from femtotango.trigger_maps import scan_map
from pipeline.simulate import Message, stins_end, stins_header, stins_image

_POLL = 0.005
_LIMIT = 300.0


@dataclass(frozen=True)
class Frames:
    """Some images that are sent again and again."""

    images: Sequence[NDArray[Any]]

    def series(self, count: int) -> Iterator[Message]:
        """Return the messages of a series; the pixels are encoded once."""
        data = [stins_image(0, 0, image)[1] for image in self.images]
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
    """Run a stack with the benchmarks' own classes within reach.

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
    return str(value).lower() if isinstance(value, bool) else repr(value)


def bare_rates(
    worker: str, reducer: str, stream: str, frames: Frames, count: int, rounds: int
) -> list[float]:
    """Measure a stack without device: frames/s until dranspose has completed all events.

    Args:
        worker: class of `baselines`.
        reducer: class of `baselines`.
        stream: name of the camera.
        frames: what is sent.
        count: frames in each round.
        rounds: after one shorter round that is not counted.
    """
    rates = []
    classes = {"worker_class": f"baselines:{worker}", "reducer_class": f"baselines:{reducer}"}
    with (
        stack_with(device="", database=False, sardana=False, streams=[stream], **classes) as info,
        httpx.Client(base_url=info["controller"] + "/api/v1/", trust_env=False) as http,
        PushSource(info["streams"][stream]) as source,
    ):
        for number in [count // 5, *[count] * rounds]:
            rates.append(_bare_round(http, source, stream, frames, number))
    return rates[1:]


def _bare_round(
    http: httpx.Client, source: PushSource, stream: str, frames: Frames, count: int
) -> float:
    trigger_map = scan_map(stream, 1, count, records=False)
    body = {"parts": trigger_map.parts, "sequence": trigger_map.sequence}
    answer = http.post("sequence", json=body, params={"all_wrap": trigger_map.wrap}, timeout=15)
    answer.raise_for_status()
    series = frames.series(count)
    while http.get("progress").json()["last_assigned"] < 1:
        time.sleep(_POLL)
    time.sleep(0.2)
    start = time.monotonic()
    source.send(series)
    while True:
        progress = http.get("progress").json()
        if progress["completed_events"] == progress["total_events"]:
            return count / (time.monotonic() - start)
        if time.monotonic() - start > _LIMIT:
            raise TimeoutError(f"{stream}: {progress} after {_LIMIT:.0f} s")
        time.sleep(_POLL)
