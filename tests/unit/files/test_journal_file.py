"""A journal says after any kill which of its entries can be trusted."""

import errno
import os
from pathlib import Path

import pytest

from pipeline.files import journal_file
from pipeline.files.journal_file import (
    BadJournal,
    FolderTaken,
    JournalFile,
    lock_journal,
    put_aside,
    read_journal,
)

PROGRAMS = bytes(range(32))
ENTRIES = (b"a snapshot", b"", b"a block " * 20, b"the last one")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "reducer.journal"
    file = JournalFile(path, PROGRAMS)
    file.replace([ENTRIES[0]])
    for entry in ENTRIES[1:]:
        file.append([entry[:3], memoryview(entry[3:])])
    assert file.size == path.stat().st_size
    file.close()
    return path


def contents(path: Path) -> tuple[bytes, ...]:
    return tuple(bytes(entry) for entry in read_journal(path, PROGRAMS).entries)


def test_what_was_written_is_read(path: Path) -> None:
    assert contents(path) == ENTRIES
    assert read_journal(path, PROGRAMS).cut == 0


def test_no_file_is_an_empty_journal(tmp_path: Path) -> None:
    assert read_journal(tmp_path / "none", PROGRAMS).entries == ()


def test_any_prefix_of_the_last_entry_is_cut_off(path: Path) -> None:
    whole = path.read_bytes()
    begin = len(whole) - len(ENTRIES[-1]) - journal_file._ENTRY.size
    for length in range(begin, len(whole)):
        path.write_bytes(whole[:length])
        journal = read_journal(path, PROGRAMS)
        assert tuple(map(bytes, journal.entries)) == ENTRIES[:-1]
        assert journal.cut == length - begin


def test_what_a_power_cut_left_as_zeros_is_cut_off(path: Path) -> None:
    whole = path.read_bytes()
    begin = len(whole) - len(ENTRIES[-1]) - journal_file._ENTRY.size
    for kept in range(journal_file._ENTRY.size, len(whole) - begin):
        path.write_bytes(whole[: begin + kept].ljust(len(whole), b"\0"))
        assert contents(path) == ENTRIES[:-1]
    path.write_bytes(whole[:begin].ljust(len(whole) + 1000, b"\0"))
    assert contents(path) == ENTRIES[:-1]


def test_no_flipped_bit_is_taken_for_an_entry(path: Path) -> None:
    whole = path.read_bytes()
    begin = len(whole) - len(ENTRIES[-1])
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1 << place % 8
        path.write_bytes(changed)
        try:
            found = contents(path)
        except BadJournal:
            assert place < begin, "what a power cut may do to the last entry is no damage"
        else:
            assert place >= begin
            assert found == ENTRIES[:-1]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no journal of femtotango"),
        (b"PK\x03\x04" * 100, "no journal of femtotango"),
        (journal_file._head(journal_file.VERSION + 1, PROGRAMS), "it is of version 2, expected 1"),
        (journal_file._head(journal_file.VERSION, bytes(32)), "another version of the programs"),
    ],
)
def test_something_else_is_not_trusted(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "reducer.journal"
    path.write_bytes(content)
    with pytest.raises(BadJournal, match=why):
        read_journal(path, PROGRAMS)
    assert put_aside(path).name == "reducer-aside.journal"
    path.write_bytes(content)
    assert put_aside(path).name == "reducer-aside_1.journal"
    assert not path.exists()


def test_a_refused_entry_leaves_the_file_as_it_was(path: Path, monkeypatch) -> None:
    file = JournalFile(path, PROGRAMS)
    file.replace([b"new"])
    write = os.write

    def full(fd: int, data: memoryview) -> int:
        if len(data) < 5:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(fd, data[:4])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space left"):
        file.append([b"more than fits"])
    monkeypatch.undo()
    assert contents(path) == (b"new",)
    with pytest.raises(OSError, match="not open"):
        file.append([b"there would be a gap"])
    file.replace([b"newer"])
    file.append([b"goes on"])
    assert contents(path) == (b"newer", b"goes on")
    file.close()


def test_entries_stay_readable_when_the_file_is_replaced(path: Path) -> None:
    journal = read_journal(path, PROGRAMS)
    file = JournalFile(path, PROGRAMS)
    file.replace([b"new"])
    file.close()
    assert tuple(map(bytes, journal.entries)) == ENTRIES
    assert contents(path) == (b"new",)


def test_a_folder_has_one_writer(tmp_path: Path) -> None:
    with lock_journal(tmp_path / "journal"), pytest.raises(FolderTaken, match="another process"):
        lock_journal(tmp_path / "journal")
    lock_journal(tmp_path / "journal").close()
