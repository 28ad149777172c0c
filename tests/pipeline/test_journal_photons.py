"""A killed reducer goes on with its photon file, and says of each frame whether it is safe."""

import time
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
from support.dispatch import Dispatch, header, image, parameters, series_end
from support.photons import read_frames
from support.waiting import wait_for

from pipeline.files.hdf5_append import AppendFile
from pipeline.model.parameters import Settings
from pipeline.photons import list_writer
from pipeline.protocols.batch import FrameStatus
from pipeline.protocols.packed_datasets import FrameSafety
from pipeline.reducer import FemtomaxReducer
from pipeline.reducer.femtomax_reducer import make_parts
from pipeline.reducer.journal_content import dump
from pipeline.reducer.journal_entries import Block, Snapshot, photon_files, without_pixels
from pipeline.reducer.journal_restore import restore
from pipeline.reducer.notes import BatchTaken, Note, Notes
from pipeline.reducer.state import ReducerState
from pipeline.simulation.balor import balor_frame

SHAPE = (120, 160)
ROI = f'{{"x": 0, "y": 0, "width": {SHAPE[1]}, "height": {SHAPE[0]}}}'


def joined(pieces: list[bytes | memoryview]) -> memoryview:
    return memoryview(b"".join(bytes(piece) for piece in pieces))


class Kept(Notes):
    """A journal in memory."""

    def __init__(self, state: ReducerState) -> None:
        self.state = state
        self.notes: list[Note] = []
        self.take_snapshot()
        state.notes = self

    def note(self, note: Note) -> None:
        self.notes.append(without_pixels(note) if isinstance(note, BatchTaken) else note)

    def take_snapshot(self) -> None:
        with self.state.lock:
            self.snapshot = joined(dump(Snapshot(self.state, (), photon_files(self.state))))
            self.notes.clear()

    def restored(self, left_out: int = 0, with_path: bool = True) -> ReducerState:
        """Return the state of the next process; the newest notes may be left out."""
        notes = self.notes[: len(self.notes) - left_out]
        files = photon_files(self.state) if with_path else {}
        return restore([self.snapshot, joined(dump(Block(tuple(notes), (), files)))])


class Run(Dispatch):
    """One series of the Balor, whose reducer is killed now and then."""

    def __init__(self, folder: Path) -> None:
        super().__init__(2)
        self.mapping = "map"
        self.take_over(ReducerState())
        self.new_scan(self.mapping)
        self.change(photon_roi=ROI)
        self.to_all(andor3_balor=header(str(folder / "raw" / "s.h5")))
        self.deliver()

    def take_over(self, state: ReducerState) -> None:
        """Put a reducer with this state in the place of the killed one."""
        self.state = state
        self.kept = Kept(state)
        self._reducer_context = {"femtotango": make_parts(state)}
        for mapping in (None, self.mapping):
            self.reducer = FemtomaxReducer(
                parameters(Settings(photon_roi=ROI)),
                self._reducer_context,
                SimpleNamespace(mapping_uuid=mapping),
            )

    def send(self, *numbers: int) -> None:
        for number in numbers:
            pixels, _ = balor_frame(np.random.default_rng(number), SHAPE, count=5, hot_pixels=0)
            self.to_one(andor3_balor=image(number, pixels))
        self.deliver()

    def end(self) -> FrameSafety:
        self.to_all(andor3_balor=series_end())
        self.deliver()
        self.reducer.timer()
        return self.durable()

    def safety(self) -> FrameSafety:
        return self.state.frame_safety(time.monotonic())

    def durable(self) -> FrameSafety:
        wait_for(lambda: not self.safety().waiting, lambda: self.safety())
        return self.safety()

    def kill(self, left_out: int = 0, with_path: bool = True) -> None:
        """Go on in a new process that knows what the journal of this one tells."""
        self.stop_writing()
        self.take_over(self.kept.restored(left_out, with_path))

    def stop_writing(self) -> None:
        """Let the killed process write nothing more: two must not share the file."""
        scan = self.state.photon_scan
        assert scan is not None and scan.photons is not None
        writer = scan.photons._file._writer
        assert writer is not None
        writer.problem = "killed"
        writer._hurry.set()
        wait_for(lambda: not writer._turning, "the writer's end")


def rows(path: str) -> dict[int, int]:
    frames = read_frames(Path(path))
    assert len({number for number, _, _ in frames}) == len(frames), "no frame has two rows"
    return {number: status for number, status, _ in frames}


@pytest.mark.parametrize("snapshot_after", [0, 30, 60])
@pytest.mark.parametrize("with_path", [True, False])
def test_nothing_lost_is_safe_and_complete(tmp_path, snapshot_after, with_path):
    run = Run(tmp_path)
    for first in (0, 30):
        if snapshot_after == first:
            run.kept.take_snapshot()
        run.send(*range(first, first + 30))
        run.durable()
    if snapshot_after == 60:
        run.kept.take_snapshot()
    before = run.safety()
    run.kill(with_path=with_path or snapshot_after == 60)
    assert asdict(run.durable()) == asdict(before)
    run.send(*range(60, 80))
    seen = run.durable()
    assert (seen.may_drop_raw, seen.reason, seen.unsafe) == (1, "", "")
    seen = run.end()
    assert (seen.series_ended, seen.complete, seen.newest) == (1, 1, 79)
    assert seen.filename == before.filename
    wait_for(lambda: run.state.files_closed, "the file to be closed")
    assert rows(seen.filename) == dict.fromkeys(range(80), FrameStatus.SEARCHED.value)
    with h5py.File(seen.filename) as file:
        assert file["entry/complete"][()] == 1


def test_frames_in_the_file_alone_are_durable(tmp_path):
    run = Run(tmp_path)
    run.send(*range(40))
    run.durable()
    run.kill(left_out=5)
    run.send(*range(40, 50))
    run.state.watch(time.monotonic())
    run.state.watch(time.monotonic() + 100)
    seen = run.durable()
    assert (seen.may_drop_raw, seen.reason, seen.unsafe) == (1, "", "")
    seen = run.end()
    assert seen.complete == 1
    assert set(rows(seen.filename)) == set(range(50))
    assert run.state.health.failed_frames == 5, "they are in no curve"


def test_frames_on_their_way_are_unsafe(tmp_path):
    run = Run(tmp_path)
    run.send(*range(40))
    run.durable()
    run.kill()
    run.event += 3
    run.send(*range(43, 50))
    run.state.watch(time.monotonic())
    run.state.watch(time.monotonic() + 100)
    seen = run.durable()
    assert (seen.may_drop_raw, seen.unsafe) == (0, "40-42")
    assert run.end().complete == 0
    assert rows(seen.filename)[41] == FrameStatus.NEVER_CAME.value


def killed_after(run, frames):
    """Kill the process once so many frames are durable; return the file and the snapshot."""
    run.send(*range(frames))
    path = Path(run.durable().filename)
    run.kept.take_snapshot()
    run.stop_writing()
    return path, run.kept.snapshot


def test_a_file_that_was_cut_has_lost_what_it_had(tmp_path):
    run = Run(tmp_path)
    path, snapshot = killed_after(run, 40)
    with h5py.File(path) as file:
        names = list(file["entry/frames"])
    file = AppendFile(path)
    for name in names:
        file.shorten(f"entry/frames/{name}", 30)
    file.abandon()
    run.take_over(restore([snapshot]))
    wait_for(lambda: run.safety().unsafe, lambda: run.safety())
    assert run.durable().unsafe == "30-39"
    assert run.safety().may_drop_raw == 0


def test_a_file_that_is_gone_has_lost_what_it_had(tmp_path):
    run = Run(tmp_path)
    path, snapshot = killed_after(run, 40)
    path.unlink()
    run.take_over(restore([snapshot]))
    run.send(*range(40, 50))
    wait_for(lambda: run.safety().unsafe, lambda: run.safety())
    assert run.durable().unsafe == "0-39"


def test_a_long_journal_is_not_faster_than_the_disk(tmp_path, monkeypatch):
    run = Run(tmp_path)
    run.send(*range(60))
    run.durable()
    run.stop_writing()
    monkeypatch.setattr(list_writer, "MAX_WAITING", 40)
    run.take_over(run.kept.restored())
    seen = run.durable()
    assert (seen.may_drop_raw, seen.unsafe, seen.newest) == (1, "", 59)
