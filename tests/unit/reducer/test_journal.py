"""The journal's thread: what it does with a full disk, a foreign file and a second writer."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from support.waiting import wait_for

from pipeline.files.journal_file import JournalFile
from pipeline.protocols.batch import Batch, CameraResult, EventResult, FrameResult, PartialSum
from pipeline.reducer import journal as module
from pipeline.reducer.journal import FILE_NAME, Journal
from pipeline.reducer.journal_open import open_journal
from pipeline.reducer.state import ReducerState

FRAME = FrameResult("pilatus", 0, (), np.empty(0), True, 1)


def batch(number: int) -> Batch:
    partial = PartialSum(
        "m", "pilatus", "TOT", (2, 3), True, 1, (number,), (number,), np.full((2, 3), 2.0), None
    )
    frame = replace(FRAME, frame=number)
    return Batch(
        "boot",
        number,
        "m",
        "w",
        number,
        EventResult((CameraResult("pilatus", frame=frame),), partials=(partial,)),
    )


def opened(folder: Path) -> tuple[ReducerState, Journal]:
    state, make = open_journal(str(folder))
    journal = make(tuple)
    assert isinstance(journal, Journal)
    journal.start()
    return state, journal


def add(state: ReducerState, number: int) -> None:
    with state.lock:
        state.add_batch(batch(number))


def test_a_new_reducer_goes_on(tmp_path: Path) -> None:
    state, journal = opened(tmp_path)
    for number in range(5):
        add(state, number)
    journal.close()
    state, journal = opened(tmp_path)
    add(state, 4)
    add(state, 5)
    total = state.accumulation.of("pilatus").current
    assert total is not None and total.count == 6
    np.testing.assert_array_equal(total.image, np.full((2, 3), 12.0))
    assert state.health.failed_frames == 0 and journal.alarms() == []
    journal.close()


def test_a_full_disk_is_an_alarm_and_is_made_up_for(tmp_path: Path, monkeypatch) -> None:
    state, journal = opened(tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(JournalFile, "append", full)
    monkeypatch.setattr(JournalFile, "replace", full)
    monkeypatch.setattr(module, "_RETRY", 0.1)
    add(state, 0)
    wait_for(lambda: any("No space left" in text for text in journal.alarms()))
    monkeypatch.undo()
    monkeypatch.setattr(module, "_RETRY", 0.1)
    add(state, 1)
    wait_for(lambda: not journal.alarms(), "the end of the alarm")
    journal.close()
    state, journal = opened(tmp_path)
    assert state.accumulation.of("pilatus").current is not None
    assert state.accumulation.of("pilatus").current.count == 2
    journal.close()


def test_a_foreign_file_is_put_aside_and_named(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"something else")
    state, journal = opened(tmp_path)
    (alarm,) = journal.alarms()
    aside = tmp_path / "reducer-aside.journal"
    assert str(aside) in alarm and "no journal of femtotango" in state.health.last_error
    assert aside.read_bytes() == b"something else"
    aside.unlink()
    assert journal.alarms() == []
    journal.close()


def test_a_second_writer_keeps_no_journal_and_says_so(tmp_path: Path) -> None:
    _, journal = opened(tmp_path)
    _, make = open_journal(str(tmp_path))
    (alarm,) = make(tuple).alarms()
    assert "another process writes the journal" in alarm
    journal.close()


def test_an_empty_folder_turns_it_off() -> None:
    _, make = open_journal("")
    assert make(tuple).alarms() == []


def test_closing_it_again_is_harmless(tmp_path: Path) -> None:
    state, journal = opened(tmp_path)
    add(state, 0)
    journal.close()
    written = (tmp_path / FILE_NAME).read_bytes()
    successor, next_journal = opened(tmp_path)
    journal.close()
    add(successor, 1)
    next_journal.close()
    assert (tmp_path / FILE_NAME).read_bytes() != written
    state, journal = opened(tmp_path)
    assert state.accumulation.of("pilatus").current is not None
    assert state.accumulation.of("pilatus").current.count == 2
    journal.close()
