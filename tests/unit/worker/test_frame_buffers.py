"""Each camera has a buffer of its own."""

import numpy as np
import pytest

from pipeline.model.cameras import Unit
from pipeline.worker import frame_buffer
from pipeline.worker.frame_buffer import BufferKey
from pipeline.worker.frame_buffers import FrameBuffers


def add(buffers: FrameBuffers, stream: str, event: int, mapping: str = "m") -> None:
    key = BufferKey(mapping, stream, Unit.ADU, (2, 2), np.dtype(np.uint32), True, 1)
    buffer = buffers.of(stream)
    assert buffer.fits(key) or buffer.is_empty
    buffer.add(key, np.full((2, 2), 200, np.uint16), event, event, 100.0, 12.0)


def test_frames_of_several_cameras_split_no_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_buffer, "flush_interval", lambda *_: np.inf)
    buffers = FrameBuffers()
    for event in range(6):
        add(buffers, ("andor3_zyla10", "andor3_zyla12")[event % 2], event)
        assert buffers.flush_if_due() == []
    partials = {partial.stream: partial for partial in buffers.flush()}
    assert partials["andor3_zyla10"].events == (0, 2, 4)
    assert partials["andor3_zyla12"].events == (1, 3, 5)
    assert buffers.flush() == []


def test_a_camera_that_is_no_longer_used_gives_its_memory_back() -> None:
    buffers = FrameBuffers()
    buffers.begin("m0")
    for stream in ("andor3_zyla10", "andor3_zyla12"):
        add(buffers, stream, 0)
    first, other = buffers.of("andor3_zyla10"), buffers.of("andor3_zyla12")
    buffers.flush()
    for mapping in ("m1", "m2", "m3"):
        buffers.begin(mapping)
        add(buffers, "andor3_zyla12", 0, mapping)
        buffers.flush()
    assert buffers.of("andor3_zyla12") is other
    assert buffers.of("andor3_zyla10") is not first


def test_what_is_buffered_is_kept_however_old() -> None:
    buffers = FrameBuffers()
    buffers.begin("m0")
    add(buffers, "andor3_zyla10", 0)
    for mapping in ("m1", "m2", "m3"):
        buffers.begin(mapping)
    assert [partial.stream for partial in buffers.flush()] == ["andor3_zyla10"]
