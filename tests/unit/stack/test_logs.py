"""Logs stay small, and nothing is lost that still fits."""

import logging
import sys
from pathlib import Path

import pytest
from support.waiting import wait_for

from femtotango.stack.command import Command
from femtotango.stack.errors import StackError
from femtotango.stack.logs import begin_logs, end_logs, shorten
from femtotango.stack.processes import Process, end

CHATTY = """
import itertools, time
for number in itertools.count():
    print(f"line {number}", flush=True)
    time.sleep(0.001)
"""


def test_a_running_process_goes_on_in_its_shortened_log(tmp_path: Path):
    process = Process(Command("chatty", sys.executable, ("-c", CHATTY)), tmp_path)
    log, before = tmp_path / "chatty.log", tmp_path / "chatty.log.1"
    try:
        for _ in range(3):
            wait_for(lambda: log.stat().st_size > 2000)
            shorten(tmp_path, limit=2000)
            assert before.stat().st_size > 2000
        wait_for(lambda: log.stat().st_size)
        assert log.read_text().startswith("line "), "no hole where the old lines stood"
    finally:
        end([process], 0.0)


def test_small_logs_are_left_alone(tmp_path: Path):
    (tmp_path / "device.log").write_text("a line\n")
    shorten(tmp_path, limit=2000)
    assert [file.name for file in tmp_path.iterdir()] == ["device.log"]


def test_a_log_that_cannot_be_copied_is_shortened_all_the_same(tmp_path: Path, caplog):
    (tmp_path / "device.log").write_text("a line\n" * 1000)
    (tmp_path / "device.log.1").symlink_to(tmp_path / "no folder" / "no file")
    shorten(tmp_path, limit=2000)
    assert (tmp_path / "device.log").stat().st_size == 0
    assert "is cut without a copy" in caplog.text


def test_each_start_begins_new_logs_and_keeps_one_predecessor(tmp_path: Path):
    for number in range(3):
        handler = begin_logs(tmp_path)
        logging.getLogger("femtotango.stack.supervisor").warning("start %d", number)
        end_logs(handler)
    assert "start 2" in (tmp_path / "up.log").read_text()
    assert "start 1" in (tmp_path / "up.log.1").read_text()
    assert len(list(tmp_path.iterdir())) == 2


def test_logs_that_cannot_be_written_are_named(tmp_path: Path):
    (tmp_path / "up.log").mkdir()
    (tmp_path / "up.log.1").mkdir()
    (tmp_path / "up.log.1" / "file").touch()
    with pytest.raises(StackError, match="cannot be written"):
        begin_logs(tmp_path)
