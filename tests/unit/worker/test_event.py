"""What one event gives: a typed result, also of messages that cannot be used."""

import json
from dataclasses import FrozenInstanceError
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pipeline.model.cameras import Unit
from pipeline.model.parameters import Settings
from pipeline.protocols.batch import CameraResult, EventResult, SparseImage, StartInfo
from pipeline.protocols.sardana import FLUSH_TITLE, record_data, record_end
from pipeline.protocols.stins import stins_end, stins_header, stins_image
from pipeline.simulation.balor import balor_frame
from pipeline.worker import frame_buffer
from pipeline.worker.event import EventWork
from pipeline.worker.frame_buffers import FrameBuffers

SHAPE = (40, 50)
ROIS = json.dumps({"a": {"x": 0, "y": 0, "width": 50, "height": 40}})
SUMMING = Settings().replaced("accumulate", True).replaced("rois", ROIS)
SEARCHING = SUMMING.replaced("photon_roi", json.dumps({"x": 0, "y": 0, "width": 50, "height": 40}))


def process(
    buffer: FrameBuffers | None = None,
    settings: Settings = SUMMING,
    may_buffer: bool = True,
    **streams: Any,
) -> EventResult:
    buffer = FrameBuffers() if buffer is None else buffer
    work = EventWork(7, "scan", settings, buffer, may_buffer)
    return work.process({name: SimpleNamespace(frames=parts) for name, parts in streams.items()})


def only(result: EventResult) -> CameraResult:
    (camera,) = result.cameras
    return camera


def record(message: dict[str, Any]) -> list[bytes]:
    return [json.dumps(message).encode()]


@pytest.fixture
def buffer(monkeypatch: pytest.MonkeyPatch) -> FrameBuffers:
    """A buffer with one frame that is never due."""
    monkeypatch.setattr(frame_buffer, "flush_interval", lambda *_: np.inf)
    buffer = FrameBuffers()
    result = process(buffer, pilatus=stins_image(2, 1, np.ones(SHAPE, np.float32)))
    assert result.partials == ()
    return buffer


def test_a_result_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        EventResult().record_end = True  # type: ignore[misc]


def test_a_header_starts_a_series_and_flushes(buffer: FrameBuffers) -> None:
    result = process(buffer, pilatus=stins_header(0, "/a/raw/b.h5", {"energy": 8048}))
    assert only(result).start == StartInfo("pilatus", "/a/raw/b.h5", {"energy": 8048})
    assert [partial.frames for partial in result.partials] == [(1,)]


def test_a_series_end_flushes(buffer: FrameBuffers) -> None:
    result = process(buffer, pilatus=stins_end(3))
    assert result.series_end
    assert len(result.partials) == 1


def test_a_frame_gives_its_means_and_its_pixels() -> None:
    image = np.full(SHAPE, 3, np.float32)
    result = process(may_buffer=False, pilatus=stins_image(5, 4, image))
    assert only(result).frame is not None
    assert (only(result).frame.stream, only(result).frame.frame, only(result).frame.roi_names) == (
        "pilatus",
        4,
        ("a",),
    )
    assert only(result).frame.roi_means.tolist() == [3.0]
    (partial,) = result.partials
    assert (partial.events, partial.frames, partial.unit) == ((7,), (4,), Unit.TOT)
    np.testing.assert_array_equal(partial.image, image)


def test_a_frame_that_goes_to_all_workers_is_taken_by_one() -> None:
    image = SimpleNamespace(frames=stins_image(5, 4, np.ones(SHAPE, np.float32)))
    work = EventWork(7, "scan", SUMMING, FrameBuffers(), False, left={"pilatus"})
    result = work.process({"pilatus": image})
    assert (result.cameras, result.partials) == ((CameraResult("pilatus", left=4),), ())


def test_a_balor_frame_becomes_photons_of_that_camera() -> None:
    image, _ = balor_frame(np.random.default_rng(1), SHAPE, count=3, hot_pixels=0)
    result = process(settings=SEARCHING, andor3_balor=stins_image(1, 0, image))
    assert only(result).frame is not None
    assert only(result).frame.photons is not None
    assert len(only(result).frame.photons.photons) > 0
    (partial,) = result.partials
    assert (partial.stream, partial.unit) == ("andor3_balor", Unit.COUNTS)
    assert partial.photon_region == (0, 0, 50, 40)
    assert isinstance(partial.image, SparseImage)


def test_a_zyla_frame_is_never_searched() -> None:
    image = np.full(SHAPE, 150, np.uint16)
    result = process(settings=SEARCHING, may_buffer=False, andor3_zyla10=stins_image(1, 0, image))
    assert only(result).frame is not None
    assert only(result).frame.photons is None
    assert [partial.unit for partial in result.partials] == [Unit.ADU]


def test_a_dense_frame_enters_no_sum() -> None:
    image = np.full(SHAPE, 5000, np.uint16)
    result = process(settings=SEARCHING, may_buffer=False, andor3_balor=stins_image(1, 0, image))
    assert only(result).frame is not None
    assert only(result).frame.photons is not None
    assert only(result).frame.photons.skipped
    assert np.isnan(only(result).frame.roi_means).all()
    assert result.partials == ()


def test_a_frame_with_another_setting_flushes_what_was_before(buffer: FrameBuffers) -> None:
    other = SUMMING.replaced("accumulation_id", 2)
    result = process(buffer, other, pilatus=stins_image(3, 2, np.ones(SHAPE, np.float32)))
    assert result.partials[0].frames == (1,)
    assert result.partials[0].accumulation_id == SUMMING.accumulation_id


def test_records_and_frames_come_in_one_event() -> None:
    values = record_data(3, {"mot": 1.5}, 0.2)
    frame = stins_image(1, 0, np.ones(SHAPE, np.float32))
    result = process(pilatus=frame, sardana=record(values))
    assert only(result).frame is not None
    assert result.record == values
    assert not result.record_end


def test_description_and_end_flush(buffer: FrameBuffers) -> None:
    description = {"type": "DataDescription", "title": "ascan", "serialno": 1}
    result = process(buffer, sardana=record(description))
    assert result.description == description
    assert len(result.partials) == 1


def test_the_end_of_the_records_flushes(buffer: FrameBuffers) -> None:
    result = process(buffer, sardana=record(record_end()))
    assert result.record_end
    assert len(result.partials) == 1


def test_a_flush_request_flushes_and_starts_no_scan(buffer: FrameBuffers) -> None:
    message = {"type": "DataDescription", "title": FLUSH_TITLE, "serialno": 0}
    result = process(buffer, sardana=record(message))
    assert result.description is None
    assert not result.record_end
    assert len(result.partials) == 1


@pytest.mark.parametrize(
    ("streams", "said"),
    [
        ({"pilatus": [b"no json"]}, "pilatus: header is no JSON"),
        ({"sardana": [b"no json"]}, "sardana: message without JSON type"),
        ({"sardana": [b'{"type": "Poem"}']}, "sardana: unknown message type 'Poem'"),
        ({"pilatus": stins_image(1, 4, np.full((2, 2), 1 << 41))}, "frame 4 has pixels from"),
    ],
)
def test_what_cannot_be_used_is_named(streams: dict[str, Any], said: str) -> None:
    result = process(**streams)
    assert len(result.failed) == 1
    assert said in result.failed[0]
    assert not result.frames


def test_a_bad_record_costs_no_frame() -> None:
    frame = stins_image(1, 0, np.ones(SHAPE, np.float32))
    result = process(sardana=[b"\xff"], pilatus=frame)
    assert only(result).frame is not None
    assert len(result.failed) == 1


def test_other_streams_are_left_alone() -> None:
    assert process(contrast=[b"?"]) == EventResult(streams=("contrast",))
