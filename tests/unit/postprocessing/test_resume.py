"""A run that is interrupted at any frame goes on, and gives what one gives that was not."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import h5py
import pytest
from support import post

from pipeline.postprocessing.block import Block, BlockWork
from pipeline.postprocessing.errors import Stopped
from pipeline.postprocessing.pool import Pool
from pipeline.postprocessing.raw_file import read_series
from pipeline.postprocessing.run import Run
from pipeline.postprocessing.source import RawSource

FRAMES = 7


class Here(Pool):
    """Works on blocks in this process, so that a run can be stopped at an exact place."""

    def __init__(self) -> None:
        self._work = BlockWork()

    def process(
        self, blocks: Iterable[Block], done: Callable[[Block], None] = lambda _: None
    ) -> Iterator[tuple[Block, bytes]]:
        """Work on one block after the other."""
        for block in blocks:
            result = self._work.process(block)
            done(block)
            yield block, result


@pytest.mark.parametrize(
    ("stream", "block"), [(post.BALOR, 1), (post.BALOR, 2), (post.ZYLA, 1), (post.PILATUS, 1)]
)
def test_an_interruption_at_any_frame(stream: str, block: int, tmp_path: Path) -> None:
    images = post.frames(stream, FRAMES)
    path = post.raw_file(tmp_path / "raw" / "scan.h5", stream, images)
    (series,) = read_series(path)
    live = post.live(path, stream, images)

    def run(output: Path) -> Run:
        output.mkdir(exist_ok=True)
        return Run(RawSource(series, block=block), post.settings(stream), output)

    for events in range(block, FRAMES + 3, block):
        output = tmp_path / f"after-{events}"

        def stop(done: int, at: int = events) -> None:
            if done >= at:
                raise Stopped("Stopped.")

        with pytest.raises(Stopped):
            run(output).process(Here(), progress=stop)
        done: list[int] = []
        outcome = run(output).process(Here(), resume=True, progress=done.append)
        assert done[0] == block and done[-1] == FRAMES + 2
        post.processed(outcome).assert_same(live)


def test_a_master_file_with_links_gives_the_same(tmp_path: Path) -> None:
    images = post.frames(post.BALOR, 6)
    for part in range(2):
        own = images[3 * part : 3 * part + 3]
        post.raw_file(tmp_path / "raw" / f"part-{part}.h5", post.BALOR, own)
    master = tmp_path / "raw" / "master.h5"
    with h5py.File(master, "w") as file:
        for part in range(2):
            there = f"/entry/instrument/{post.BALOR}/data"
            link = h5py.ExternalLink(f"part-{part}.h5", there)
            file[f"entry/data/data_{part + 1:06d}"] = link
    (series,) = read_series(master, post.BALOR)
    run = Run(RawSource(series), post.settings(post.BALOR), tmp_path)
    outcome = run.process(Here())
    post.processed(outcome).assert_same(post.live(master, post.BALOR, images))
