"""Post-processing gives what live gives, bit for bit."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import post

from pipeline.postprocessing.pool import Pool
from pipeline.postprocessing.raw_file import read_series
from pipeline.postprocessing.run import Outcome, Run
from pipeline.postprocessing.source import RawSource

STREAMS = (post.BALOR, post.ZYLA, post.PILATUS)
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=[1, 2, 4])
def pool(request: pytest.FixtureRequest) -> Iterator[Pool]:
    with Pool(request.param, threading.Event()) as found:
        yield found


def process(path: Path, pool: Pool, output: Path, stream: str, block: int | None = None) -> Outcome:
    (series,) = read_series(path)
    output.mkdir(parents=True, exist_ok=True)
    run = Run(RawSource(series, block=block), post.settings(stream), output)
    outcome = run.process(pool)
    run.state.remove()
    return outcome


@pytest.mark.parametrize("compression", ["none", "bslz4"])
@pytest.mark.parametrize("stream", STREAMS)
def test_process_gives_what_live_gives(stream, compression, pool, tmp_path):
    images = post.frames(stream, 40)
    path = post.raw_file(tmp_path / "raw" / "scan.h5", stream, images, compression)
    live = post.live(path, stream, images)
    outcome = process(path, pool, tmp_path / "out", stream)
    assert outcome.frames == outcome.summed == 40
    assert outcome.failed == 0
    assert (outcome.photons is not None) == (stream == post.BALOR)
    post.processed(outcome).assert_same(live)
