"""Batches come once, changes are counted, and what a worker takes with it is named."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.model.parameters import Settings
from pipeline.protocols.batch import Batch, CameraResult, EventResult, FrameResult
from pipeline.reducer.state import ReducerState

FRAME = FrameResult("pilatus", 0, (), np.empty(0), True, 1)
BATCH = Batch("boot", 0, "m", "w1", 0, EventResult((CameraResult("pilatus", frame=FRAME),)))


@pytest.fixture
def state() -> ReducerState:
    return ReducerState()


def test_a_batch_counts_once(state) -> None:
    state.add_batch(BATCH)
    revision = state.revision
    state.add_batch(BATCH)
    assert state.health.frames == 1
    assert state.revision == revision


def test_a_worker_that_is_restarted_takes_its_buffered_frames_with_it(state) -> None:
    for sequence in range(3):
        state.add_batch(replace(BATCH, sequence=sequence, event=sequence))
    state.add_batch(replace(BATCH, boot="new", result=EventResult(), event=3))
    assert state.health.failed_frames == 3
    assert "w1 was restarted; 3 frames that it had buffered are lost" in state.health.last_error


def test_an_error_and_changed_settings_are_changes(state) -> None:
    state.fail("Disk full.", 2)
    assert (state.revision, state.health.failed_frames) == (1, 2)
    state.update_settings(Settings(accumulation_id=5))
    assert state.revision == 2
    assert state.accumulation.accumulation_id == 5


def test_the_newest_scans_are_kept_and_the_labels_of_those_before(state) -> None:
    for number in range(6):
        mapping = f"m{number}"
        state.announce(mapping)
        state.add_batch(replace(BATCH, sequence=number, mapping=mapping))
    assert [scan.mapping for scan in state.scans()] == ["m3", "m4", "m5"]
    assert state.scan is not None and state.scan.number == 6
    state.add_batch(replace(BATCH, sequence=9, mapping="m0"))
    assert len(state.scans()) == 3, "a late batch brings no dropped scan back"


def test_results_of_a_scan_before_this_process_do_not_become_the_newest(state) -> None:
    state.announce("now")
    state.add_batch(replace(BATCH, mapping="now"))
    state.add_batch(replace(BATCH, sequence=1, mapping="before"))
    assert state.scan is not None and state.scan.mapping == "now"
