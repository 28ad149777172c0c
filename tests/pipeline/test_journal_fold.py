"""A killed reducer goes on from its journal as if nothing had been, but for what it names."""

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.dispatch import Dispatch, header, image, sardana, series_end
from support.repeats import repeats

from pipeline.frames import binning
from pipeline.protocols.snapshot import Published
from pipeline.reducer import FemtomaxReducer
from pipeline.reducer.femtomax_reducer import make_parts
from pipeline.reducer.journal_content import dump
from pipeline.reducer.journal_entries import Block, PixelSums, Snapshot, without_pixels
from pipeline.reducer.journal_restore import restore
from pipeline.reducer.lazy_arrays import LazyArray
from pipeline.reducer.notes import BatchTaken, Note, Notes
from pipeline.reducer.publisher import Publisher
from pipeline.reducer.state import ReducerState

SHAPE = (4, 6)
PILATUS, ZYLA = "pilatus", "andor3_zyla12"
CAMERAS = st.sampled_from(["one", "two in an event", "two in events of their own"])
STEPS = st.lists(
    st.sampled_from(
        ["frame"] * 8 + ["record", "reset", "toggle", "deliver", "compact", "kill", "scan", "other"]
    ),
    min_size=5,
    max_size=60,
)


def pixels(number: int) -> np.ndarray:
    array = np.full(SHAPE, float(number % 50 + 1), np.float32)
    array[0, 0] = -1
    return array


def processed(camera: str, number: int) -> np.ndarray:
    """Return what is summed of a frame."""
    positive = np.where(pixels(number) > 0, pixels(number), 0).astype(float)
    if camera == PILATUS:
        return positive
    raw = pixels(number).astype(np.uint16).astype(float) + 150
    return np.where(raw % 65536 - 100 > 12, raw % 65536 - 100, 0)


def joined(pieces: Any) -> memoryview:
    return memoryview(b"".join(bytes(piece) for piece in pieces))


class Recorder(Notes):
    """Keeps a journal in memory."""

    def __init__(self, state: ReducerState) -> None:
        self.compact(state)
        state.notes = self

    def compact(self, state: ReducerState) -> None:
        self.entries = [joined(dump(Snapshot(state, state.accumulation.ended, {})))]
        self.notes: list[Note] = []

    def note(self, note: Note) -> None:
        self.notes.append(note)

    def write(self, upto: int, block: int) -> list[memoryview]:
        """Return the entries of a journal that has only so many of the notes."""
        entries = list(self.entries)
        for first in range(0, upto, block):
            sums, notes = PixelSums(), []
            for note in self.notes[first : min(upto, first + block)]:
                if isinstance(note, BatchTaken):
                    sums.add_batch(note.batch, note.sums)
                    note = without_pixels(note)
                notes.append(note)
            entries.append(joined(dump(Block(tuple(notes), sums.take(), {}))))
        return entries


def plain(value: Any) -> Any:
    """Return published values so that they can be compared."""
    if isinstance(value, np.ndarray | LazyArray):
        return [("nan" if x != x else x) for x in np.asarray(value).ravel().tolist()]
    if is_dataclass(value):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {name: plain(v) for name, v in value.items()}
    if isinstance(value, float) and math.isnan(value):
        return "nan"
    return value


def published(state: ReducerState) -> Published:
    return Publisher(state, lambda: True).published()


def the_sum(state: ReducerState) -> Any:
    """Return all of the sums that grow; the newest forwarded frame is not kept."""
    return {
        total.stream: (
            plain(total.image),
            plain(total.valid),
            plain(total.frames_seen),
            total.count,
            {scan: ranges.as_tuple() for scan, ranges in total.frames.items()},
            total.settings,
        )
        for total in state.accumulation.growing
    }


def take_over(run: Dispatch, state: ReducerState) -> Recorder:
    """Put a reducer with this state in the place of the killed one."""
    recorder = Recorder(state)
    run._reducer_context = {"femtotango": make_parts(state)}
    # dranspose knows no trigger map at the start of a process, then tells it.
    for mapping in (None, run.reducer_mapping):
        run.reducer = FemtomaxReducer(
            {}, run._reducer_context, SimpleNamespace(mapping_uuid=mapping)
        )
    return recorder


class Run(Dispatch):
    """Scans, and what is expected of them."""

    def __init__(self, workers: int, seed: int, cameras: str = "one") -> None:
        self.cameras = (PILATUS,) if cameras == "one" else (PILATUS, ZYLA)
        self.own = "own" in cameras
        self.reducer_mapping = ""
        self.sent: dict[int, np.ndarray] = {}
        self.accumulate, self.accumulation_id = True, 1
        self.begun = False
        self.of_scan = 0
        super().__init__(workers, seed)
        self.change(
            accumulate=True,
            accumulation_id=1,
            rois='{"a": {"x":1,"y":1,"width":2,"height":2},'
            '"z": {"x":1,"y":1,"width":2,"height":2,"camera":"andor3_zyla12"}}',
        )

    def new_scan(self, mapping: str | None = None) -> None:
        self.number_of_scan = getattr(self, "number_of_scan", 0) + 1
        mapping = mapping or f"map{self.number_of_scan}"
        self.reducer_mapping = mapping
        super().new_scan(mapping)
        self.begun = False

    @property
    def state(self) -> ReducerState:
        return self.reducer._state

    def step(self, step: str) -> None:
        if not self.begun and step in ("frame", "other", "record"):
            self.to_all(
                **dict.fromkeys(self.cameras, header()),
                sardana=sardana(
                    "DataDescription", title="t", serialno=self.number_of_scan, ref_moveables=["m"]
                ),
            )
            self.begun, self.of_scan = True, 0
        if step in ("frame", "other"):
            array = pixels(self.of_scan)
            if step == "other":
                array = array[:, :5].copy()
            self.shot(array)
        elif step == "record":
            record = sardana("RecordData", m=0.5 * self.of_scan)
            self.shot(pixels(self.of_scan), sardana=record)
        elif step == "reset":
            self.accumulation_id += 1
            self.change(accumulation_id=self.accumulation_id)
        elif step == "toggle":
            self.accumulate = not self.accumulate
            self.accumulation_id += self.accumulate
            self.change(accumulation_id=self.accumulation_id)
            self.change(accumulate=self.accumulate)
        elif step == "deliver":
            self.deliver(at_most=self.random.randrange(6))
        elif step == "scan" and self.begun:
            self.end()
            self.new_scan()

    def shot(self, array: np.ndarray, **record: Any) -> None:
        raw = array.astype(np.uint16) + np.uint16(150)
        messages = {PILATUS: image(self.of_scan, array), ZYLA: image(self.of_scan, raw)}
        streams = {camera: messages[camera] for camera in self.cameras} | record
        if self.own:
            worker = self.random.randrange(len(self._workers))
            for name, stream in streams.items():
                self.to_one(worker, **{name: stream})
        else:
            self.to_one(**streams)
        self.of_scan += 1

    def end(self) -> None:
        if self.begun:
            ends = dict.fromkeys(self.cameras, series_end())
            self.to_all(**ends, sardana=sardana("RecordEnd"))
            self.begun = False
        self.deliver()


@settings(
    deadline=None, max_examples=repeats(30, 100), suppress_health_check=[HealthCheck.too_slow]
)
@given(
    steps=STEPS,
    workers=st.integers(1, 3),
    seed=st.integers(0, 2**16),
    block=st.integers(1, 9),
    cameras=CAMERAS,
)
def test_nothing_lost_is_as_if_nothing_had_been(steps, workers, seed, block, cameras) -> None:
    plain_run, run = Run(workers, seed, cameras), Run(workers, seed, cameras)
    recorder = take_over(run, ReducerState())
    for step in [*steps, "kill"]:
        if step == "compact":
            recorder.compact(run.state)
        elif step == "kill":
            before = published(run.state)
            state = restore(recorder.write(len(recorder.notes), block))
            after = published(state)
            assert the_sum(state) == the_sum(run.state)
            for part in ("scan", "health", "roi_sums", "roi_means", "step_means", "x", "curves"):
                assert plain(getattr(after, part)) == plain(getattr(before, part)), part
            recorder = take_over(run, state)
        else:
            plain_run.step(step)
            run.step(step)
    plain_run.end()
    run.end()
    end, expected = published(run.state), published(plain_run.state)
    assert the_sum(run.state) == the_sum(plain_run.state)
    for part in ("roi_sums", "roi_means", "step_means"):
        assert plain(getattr(end, part)) == plain(getattr(expected, part)), part
    assert end.health.failed_frames == expected.health.failed_frames == 0


@settings(
    deadline=None, max_examples=repeats(30, 100), suppress_health_check=[HealthCheck.too_slow]
)
@given(
    before=st.integers(0, 30),
    after=st.integers(1, 30),
    lost=st.integers(0, 12),
    workers=st.integers(1, 3),
    seed=st.integers(0, 2**16),
    cameras=CAMERAS,
)
def test_what_is_lost_is_counted_and_named(before, after, lost, workers, seed, cameras) -> None:
    run = Run(workers, seed, cameras)
    recorder = take_over(run, ReducerState())
    run.step("record")
    run.deliver()
    kept = len(recorder.notes)
    for _ in range(before):
        run.step("frame")
        run.deliver(at_most=run.random.randrange(3))
    notes = max(kept, len(recorder.notes) - lost)
    recorder = take_over(run, restore(recorder.write(notes, 5)))
    for _ in range(after):
        run.step("frame")
        run.deliver(at_most=run.random.randrange(3))
    run.deliver()
    for now in (100.0, 104.0, 108.0, 112.0):
        run.state.watch(now)
    run.end()
    for now in (200.0, 204.0, 208.0):
        run.state.watch(now)
    end = published(run.state)
    assert end.cameras is not None and run.state.scan is not None
    number_missing = 0
    for camera in run.state.scan.cameras:
        shown = end.cameras[camera.stream]
        assert shown.sum_frames is not None
        ranges = json.loads(shown.sum_frames).get("1", [])
        in_sum = {n for first, last in ranges for n in range(first, last + 1)}
        total = sum((processed(camera.stream, n) for n in in_sum), np.zeros(SHAPE))
        np.testing.assert_array_equal(np.nan_to_num(np.asarray(shown.image), nan=0), total)
        assert shown.accumulated_number == len(in_sum)
        in_curve = set(camera.axis.frames.x().astype(int).tolist())
        missing = set(range(run.of_scan)) - (in_sum & in_curve)
        assert camera.processed == run.of_scan
        assert len(missing) <= lost + 30
        number_missing += len(missing)
    assert end.health.failed_frames == number_missing
    binning.warm_up()
