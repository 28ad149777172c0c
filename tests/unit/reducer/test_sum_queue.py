"""Sums that cannot be saved: how many stay, how often it is tried, what is said."""

import gc
import weakref
from pathlib import Path

import numpy as np
import pytest

from pipeline.model.parameters import Settings
from pipeline.protocols.batch import PartialSum
from pipeline.reducer import sum_queue
from pipeline.reducer.growing_sum import Sum
from pipeline.reducer.state import ReducerState
from pipeline.reducer.sum_queue import SumQueue
from pipeline.reducer.sum_saver import SumSaver

TICK = 0.2


@pytest.fixture
def state(tmp_path: Path) -> ReducerState:
    state = ReducerState()
    state.update_settings(Settings(accumulate=True, output_folder=str(tmp_path / "absent")))
    return state


@pytest.fixture
def queue(state: ReducerState, monkeypatch):
    monkeypatch.setattr(sum_queue, "_GRACE", 0.0)
    queue = SumQueue(state, SumSaver(state))
    yield queue
    queue._thread.shutdown()


def add_sum(state: ReducerState, number: int, frames: int = 2) -> Sum:
    partial = PartialSum(
        mapping="m",
        stream="pilatus",
        unit="TOT",
        shape=(2, 3),
        accumulate=True,
        accumulation_id=number,
        events=tuple(range(1, frames + 1)),
        frames=tuple(range(frames)),
        image=np.ones((2, 3)),
        valid=None,
    )
    state.accumulation.add_partial(partial, "w1", 1, "1", state.settings)
    assert state.accumulation.of("pilatus").current is not None
    return state.accumulation.of("pilatus").current


def tick(queue: SumQueue, now: float) -> None:
    queue.save_due(now)
    queue.wait()


def tries(caplog) -> int:
    return sum("was not saved" in record.message for record in caplog.records)


def test_a_stopped_sum_that_cannot_be_saved_is_tried_six_times_a_minute(state, queue, caplog):
    add_sum(state, 1)
    state.update_settings(Settings(output_folder=state.settings.output_folder))
    for number in range(300):
        tick(queue, 1e9 + number * TICK)
    assert 5 <= tries(caplog) <= 7
    assert len(queue) == 1


def test_three_unsaved_sums_stay_and_the_others_are_named(state, queue, caplog):
    folder = Path(state.settings.output_folder)
    alive = []
    for number in range(1, 31):
        alive.append(weakref.ref(add_sum(state, number, frames=number + 1)))
        tick(queue, 2e9 + number * TICK)
    add_sum(state, 31)
    tick(queue, 2e9 + 31 * TICK)
    gc.collect()
    assert [ref() is not None for ref in alive] == [False] * 27 + [True] * 3
    failed, dropped = queue.alarms()
    assert f"A sum of 31 frames was not saved: {folder}" in failed
    assert "27 older sums were dropped unsaved" in dropped
    assert "26, 27, 28" in dropped
    assert tries(caplog) == 30, "each once, when its turn came"
    folder.mkdir()
    for number in range(4):
        tick(queue, 2e9 + 100 + number)
    assert len(list(folder.glob("*.h5"))) == 3
    assert queue.alarms() == []
    assert len(queue) == 0


def test_what_is_left_is_saved_when_the_process_ends(state, queue):
    for number in range(1, 4):
        add_sum(state, number)
        tick(queue, 1e9 + number)
    folder = Path(state.settings.output_folder)
    folder.mkdir()
    queue.close()
    assert len(list(folder.glob("*.h5"))) == 3


def test_sums_are_not_kept_where_no_folder_is_set(state, queue):
    state.update_settings(Settings())
    for number in range(1, 6):
        add_sum(state, number)
        tick(queue, 1e9 + number)
    assert len(queue) == 0
    assert queue.alarms() == []
