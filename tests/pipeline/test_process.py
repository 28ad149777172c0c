"""Post-processing gives what live gives, bit for bit, whatever happens to it."""

import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support import post
from support.disks import NoDisk, small_disk
from support.dispatch import sardana
from support.recordings import Recording

from pipeline.postprocessing.errors import BadOutput, Stopped
from pipeline.postprocessing.pool import Pool
from pipeline.postprocessing.raw_file import read_series
from pipeline.postprocessing.run import Outcome, Run
from pipeline.postprocessing.scan_file import read_scan
from pipeline.postprocessing.settings_source import read_settings, with_corrections
from pipeline.postprocessing.source import RawSource

STREAMS = (post.BALOR, post.ZYLA, post.PILATUS)
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=[1, 2, 4])
def pool(request: pytest.FixtureRequest) -> Iterator[Pool]:
    with Pool(request.param, threading.Event()) as found:
        yield found


def make_run(path: Path, output: Path, stream: str, block: int | None = None) -> Run:
    (series,) = read_series(path)
    output.mkdir(parents=True, exist_ok=True)
    return Run(RawSource(series, block=block), post.settings(stream), output)


def process(path: Path, pool: Pool, output: Path, stream: str, block: int | None = None) -> Outcome:
    run = make_run(path, output, stream, block)
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
    assert live.arrays.get("complete", 1) == 1


@pytest.mark.parametrize("stream", STREAMS)
def test_dark_level_and_mask_give_what_they_give_live(stream, pool, tmp_path):
    images = post.frames(stream, 16)
    if stream == post.PILATUS:
        images[3][50, 60] = -1
    dark, mask = post.correction_files(tmp_path)
    settings = with_corrections(
        post.settings(stream), None if stream == post.PILATUS else dark, mask, stream, post.SHAPE
    ).replaced("mask_noise", 8.0)
    path = post.raw_file(tmp_path / "raw" / "scan.h5", stream, images)
    live = post.live(path, stream, images, changes={0: settings.values()})
    (series,) = read_series(path)
    (tmp_path / "out").mkdir()
    run = Run(RawSource(series), settings, tmp_path / "out")
    outcome = run.process(pool)
    run.state.remove()
    post.processed(outcome).assert_same(live)
    assert outcome.failed == 0
    assert live.arrays["masked"][50:54, 20].all()
    if stream == post.BALOR:
        (file,) = (tmp_path / "out").glob("*_xye.h5")
        assert read_settings(str(file)).mask == settings.mask


@pytest.mark.parametrize("block", [1, 3, 42])
def test_blocks_of_any_size_give_the_same(block, pool, tmp_path):
    images = post.frames(post.BALOR, 20)
    path = post.raw_file(tmp_path / "raw" / "scan.h5", post.BALOR, images)
    live = post.live(path, post.BALOR, images)
    outcome = process(path, pool, tmp_path / "out", post.BALOR, block)
    post.processed(outcome).assert_same(live)


def test_frames_in_several_chunks_give_the_same(pool, tmp_path):
    images = post.frames(post.BALOR, 12)
    path = post.raw_file(tmp_path / "raw" / "scan.h5", post.BALOR, images, chunk=(40, 50))
    live = post.live(path, post.BALOR, images)
    post.processed(process(path, pool, tmp_path / "out", post.BALOR)).assert_same(live)


def test_the_scan_file_gives_the_motor_axis(pool, tmp_path):
    positions, burst = [1.0, 1.5, 2.0, 2.5], 5
    images = post.frames(post.ZYLA, 20)
    path = post.raw_file(tmp_path / "raw" / "scan.h5", post.ZYLA, images)
    post.write_scan_file(tmp_path / "sardana.h5", positions, burst)
    records = {0: sardana("DataDescription", title="t", serialno=123, ref_moveables=["mot"])}
    for point, position in enumerate(positions):
        records[burst * (point + 1)] = sardana("RecordData", point_nb=point, mot=position)
    live = post.live(path, post.ZYLA, images, records)
    (series,) = read_series(path)
    scan = read_scan(str(tmp_path / "sardana.h5"))
    run = Run(RawSource(series, scan), post.settings(post.ZYLA), tmp_path)
    numbers = post.processed(run.process(pool))
    assert numbers.arrays["a x"].tolist() == positions
    assert np.isfinite(numbers.arrays["steps of b: sum y_errors"]).all()
    numbers.assert_same(live)


def test_lab6(lab6: Recording, pool, tmp_path):
    images = list(lab6.frames)
    path = post.raw_file(tmp_path / "raw" / "scan.h5", post.PILATUS, images)
    live = post.live(path, post.PILATUS, images)
    numbers = post.processed(process(path, pool, tmp_path / "out", post.PILATUS))
    numbers.assert_same(live)
    image = np.where(numbers.arrays["masked"], np.nan, numbers.arrays["image"])
    np.testing.assert_array_equal(image, lab6.sum)


def interrupt(run: Run, events: int) -> None:
    """Stop a run when so many of its events are done."""
    stop = threading.Event()

    def count(done: int) -> None:
        if done >= events:
            stop.set()

    with Pool(1, stop) as pool, pytest.raises(Stopped):
        run.process(pool, resume=True, progress=count)


@pytest.mark.parametrize("stream", STREAMS)
def test_an_interrupted_run_goes_on_and_gives_the_same(stream, tmp_path):
    images = post.frames(stream, 30)
    path = post.raw_file(tmp_path / "raw" / "scan.h5", stream, images)
    live = post.live(path, stream, images)
    output = tmp_path / "out"
    # At any other frame: tests/unit/postprocessing/test_resume.py.
    interrupt(make_run(path, output, stream, block=1), 7)
    with Pool(2, threading.Event()) as pool:
        with pytest.raises(BadOutput, match="--resume"):
            make_run(path, output, stream, block=1).process(pool)
        done: list[int] = []
        run = make_run(path, output, stream, block=1)
        outcome = run.process(pool, resume=True, progress=done.append)
        assert done[0] == 1 and done[-1] == 32
        post.processed(outcome).assert_same(live)
        # What is done is not done again.
        again = make_run(path, output, stream, block=1).process(pool, resume=True)
        assert again == outcome
    assert len(list(output.glob("*.h5"))) == (2 if stream == post.BALOR else 1)


def test_other_settings_are_no_way_to_go_on(tmp_path):
    path = post.raw_file(tmp_path / "raw" / "scan.h5", post.ZYLA, post.frames(post.ZYLA, 10))
    interrupt(make_run(path, tmp_path, post.ZYLA, block=1), 3)
    (series,) = read_series(path)
    settings = replace(post.settings(post.ZYLA), background=99.0)
    run = Run(RawSource(series, block=1), settings, tmp_path)
    with Pool(1, threading.Event()) as pool, pytest.raises(BadOutput, match="background"):
        run.process(pool, resume=True)


def test_a_killed_process_costs_nothing(pool, tmp_path):
    images = post.frames(post.BALOR, 30)
    path = post.raw_file(tmp_path / "raw" / "scan.h5", post.BALOR, images)
    live = post.live(path, post.BALOR, images)
    before, killed = pool.deaths, []

    def kill(done: int) -> None:
        if done in (3, 12, 20) and done not in killed:
            killed.append(done)
            os.kill(pool.pids[0], signal.SIGKILL)

    run = make_run(path, tmp_path / "out", post.BALOR, block=1)
    outcome = run.process(pool, progress=kill)
    assert pool.deaths > before
    post.processed(outcome).assert_same(live)


@pytest.mark.parametrize("left", [0, 40_000, 150_000])
def test_a_full_disk_costs_nothing(left, tmp_path):
    images = post.frames(post.BALOR, 60)
    path = post.raw_file(tmp_path / "raw" / "scan.h5", post.BALOR, images)
    live = post.live(path, post.BALOR, images)
    disk = tmp_path / "disk"
    try:
        with small_disk(disk, megabytes=16):
            fill(disk / "ballast", left)
            out = disk / "out"
            with Pool(2, threading.Event()) as pool, pytest.raises(BadOutput) as refused:
                make_run(path, out, post.BALOR, block=2).process(pool)
            assert "No space left" in str(refused.value)
            (disk / "ballast").unlink()
            with Pool(2, threading.Event()) as pool:
                outcome = make_run(path, out, post.BALOR, block=2).process(pool, resume=True)
            post.processed(outcome).assert_same(live)
    except NoDisk as error:
        pytest.skip(str(error))


def fill(path: Path, left: int) -> None:
    """Fill a disk but for so many bytes."""
    free = os.statvfs(path.parent)
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_bsize - left)
