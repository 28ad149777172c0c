"""How fast raw files are processed, with one process and two, beside hdf5plugin alone."""

import multiprocessing
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import h5py
import hdf5plugin  # noqa: F401 - registers the filter

from femtotango.stack.environment import FRAME_ENVIRONMENT
from pipeline.model.cameras import CAMERAS
from pipeline.model.parameters import Settings
from pipeline.postprocessing.pool import Pool
from pipeline.postprocessing.raw_file import read_series
from pipeline.postprocessing.run import Run
from pipeline.postprocessing.source import RawSource
from pipeline.protocols.stins import stins_series
from pipeline.simulation.raw_file import write_raw_file
from pipeline.simulation.scan import detector_frames

_FRAMES: Mapping[str, int] = {"andor3_balor": 160, "andor3_zyla10": 256, "pilatus": 256}
_DIFFERENT = 16
"""Frames that are simulated; they are written again and again."""
_ROUNDS = 3


@dataclass(frozen=True)
class Row:
    """One camera."""

    stream: str
    one: float
    """Frames per second of one process."""
    two: float
    """Of two."""
    plain: float
    """Of hdf5plugin in one process, which only decompresses."""

    @property
    def speed_up(self) -> float:
        """Of the second process."""
        return self.two / self.one


def process_rows(frames: Mapping[str, int] = _FRAMES, rounds: int = _ROUNDS) -> list[Row]:
    """Measure in alternating rounds; the medians count.

    Args:
        frames: of each camera's file.
        rounds: of each measurement.
    """
    with (
        tempfile.TemporaryDirectory(prefix="femtotango-bench-") as folder,
        Pool(1, threading.Event(), FRAME_ENVIRONMENT) as one,
        Pool(2, threading.Event(), FRAME_ENVIRONMENT) as two,
        _hdf5plugin() as plain,
    ):
        return [
            _measure(stream, count, Path(folder), one, two, plain, rounds)
            for stream, count in frames.items()
        ]


def _measure(
    stream: str, count: int, folder: Path, one: Pool, two: Pool, plain: Connection, rounds: int
) -> Row:
    path = _raw_file(folder, stream, count)
    # Compiled, and in the page cache.
    for pool in (one, two):
        _process(path, folder, pool)
    rates: dict[str, list[float]] = {"one": [], "two": [], "plain": []}
    for _ in range(rounds):
        begun = time.perf_counter()
        plain.send((path, stream))
        plain.recv()
        rates["plain"].append(count / (time.perf_counter() - begun))
        for name, pool in (("one", one), ("two", two)):
            rates[name].append(_process(path, folder, pool))
    path.unlink()
    return Row(stream, **{name: statistics.median(values) for name, values in rates.items()})


def _raw_file(folder: Path, stream: str, count: int) -> Path:
    positions = [1 + i / _DIFFERENT for i in range(_DIFFERENT)]
    images = list(detector_frames(stream, 1, positions))
    path = folder / f"{stream}.h5"
    series = stins_series((images[i % _DIFFERENT] for i in range(count)), str(path), {}, "bslz4")
    write_raw_file(path, stream, series)
    return path


def _process(path: Path, folder: Path, pool: Pool) -> float:
    """Return the events per second from the first block's end to the last one's."""
    (series,) = read_series(path)
    ny, nx = series.shape
    settings = Settings()
    if CAMERAS[series.stream].finds_photons:
        region = f'{{"x": 0, "y": 0, "width": {nx}, "height": {ny}}}'
        settings = settings.replaced("photon_roi", region)
    with tempfile.TemporaryDirectory(dir=folder) as output:
        done: list[tuple[float, int]] = []
        run = Run(RawSource(series), settings, Path(output))
        outcome = run.process(
            pool, progress=lambda events: done.append((time.perf_counter(), events))
        )
    count = len(series.frames)
    assert (outcome.frames, outcome.failed) == (count, 0), f"{outcome} of {count} frames"
    (begin, first), (end, last) = done[0], done[-1]
    return (last - first) / (end - begin)


def _serve(connection: Connection) -> None:
    """Decompress all frames of a file, whenever one comes."""
    while True:
        try:
            path, stream = connection.recv()
        except EOFError:
            return
        with h5py.File(path, locking=False) as file:
            dataset = file[f"entry/instrument/{stream}/data"]
            assert isinstance(dataset, h5py.Dataset)
            for i in range(len(dataset)):
                dataset[i]
        connection.send(True)


@contextmanager
def _hdf5plugin() -> Iterator[Connection]:
    """Run hdf5plugin in a process of its own, with the same memory and as many threads: one."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    before = dict(os.environ)
    os.environ.update(FRAME_ENVIRONMENT)
    process = spawn.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    os.environ.clear()
    os.environ.update(before)
    theirs.close()
    try:
        yield ours
    finally:
        ours.close()
        process.join()
