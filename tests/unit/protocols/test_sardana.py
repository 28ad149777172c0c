"""What is encoded comes back; what is no record is named."""

import json
from types import SimpleNamespace

import pytest

from pipeline.protocols.sardana import (
    FLUSH_TITLE,
    BadRecord,
    FlushRequest,
    ScanDescription,
    ScanEnd,
    ScanRecord,
    data_description,
    parse,
    record_data,
    record_end,
)


def test_what_is_encoded_comes_back() -> None:
    start = data_description("ascan mot 0 1 4 0.1", 17, "/data", "mot", (0.0, 1.0), 4)
    step, end = record_data(2, {"mot": 0.5}, 1.25), record_end()
    assert parse([json.dumps(start).encode()]) == ScanDescription(start)
    assert parse([json.dumps(step).encode()]) == ScanRecord(step)
    assert parse([json.dumps(end).encode()]) == ScanEnd()


def test_a_zmq_frame_is_read_by_its_buffer() -> None:
    part = SimpleNamespace(buffer=memoryview(b'{"type": "RecordEnd"}'))
    assert parse([part]) == ScanEnd()


def test_a_description_of_our_own_title_asks_for_a_flush() -> None:
    message = {"type": "DataDescription", "title": FLUSH_TITLE, "serialno": 0}
    assert parse([json.dumps(message).encode()]) == FlushRequest()


@pytest.mark.parametrize(
    "parts",
    [[], [b""], [b"\xff"], [b"[1]"], [b'"type"'], [b"{}"], [b'{"type": []}'], [b'{"type": "?"}']],
)
def test_what_is_no_record_is_named(parts: list[bytes]) -> None:
    with pytest.raises(BadRecord):
        parse(parts)
