"""Processes that die, and files that go away while they are read."""

import os
import signal
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from support import post

from pipeline.postprocessing.block import batches
from pipeline.postprocessing.errors import BadRawFile, Stopped, WorkerLost
from pipeline.postprocessing.pool import Pool
from pipeline.postprocessing.raw_file import read_series
from pipeline.postprocessing.source import RawSource

pytestmark = pytest.mark.slow


def source(folder: Path, count: int = 8) -> RawSource:
    path = post.raw_file(folder / "a.h5", post.BALOR, post.frames(post.BALOR, count))
    (series,) = read_series(path)
    return RawSource(series, block=2)


def test_results_come_in_the_order_of_the_blocks(tmp_path):
    settings = post.settings(post.BALOR)
    with Pool(3, threading.Event()) as pool:
        found = list(pool.process(source(tmp_path).blocks("m", settings)))
    assert [block.index for block, _ in found] == list(range(5))
    events = [batch.event for _, result in found for batch in batches(result)]
    assert events == list(range(10))
    # Pixels are flushed at the end of each block.
    counts = [len(batch.result.partials) for batch in batches(found[1][1])]
    assert sum(counts) == 2


def test_a_process_that_dies_again_and_again_ends_the_run(tmp_path):
    settings = post.settings(post.BALOR)
    with Pool(1, threading.Event()) as pool:
        over = threading.Event()

        def kill() -> None:
            while not over.wait(0.01):
                for pid in pool.pids:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        try:
            with pytest.raises(WorkerLost, match="--jobs"):
                list(pool.process(source(tmp_path).blocks("m", settings)))
        finally:
            over.set()
            killer.join()


def test_a_file_that_goes_away_ends_the_run(tmp_path):
    blocks = source(tmp_path).blocks("m", post.settings(post.BALOR))
    (tmp_path / "a.h5").unlink()
    with Pool(1, threading.Event()) as pool, pytest.raises(BadRawFile, match="--resume"):
        list(pool.process(blocks))


def test_stop(tmp_path):
    stop = threading.Event()
    blocks = source(tmp_path).blocks("m", post.settings(post.BALOR))
    with Pool(1, stop) as pool, pytest.raises(Stopped):
        for _ in pool.process(blocks):
            stop.set()
