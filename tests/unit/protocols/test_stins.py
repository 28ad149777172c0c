import json

import bitshuffle
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.protocols.stins import (
    BadFrame,
    StinsDiscarded,
    StinsEnd,
    StinsFrame,
    StinsHeader,
    parse,
    stins_image,
)

DTYPES = ["uint8", "uint16", "int32", "uint32", "int64", "float32", "float64", ">u2", "<f4"]


def message(array: np.ndarray, compression: str = "none", **changed: object) -> list[bytes]:
    head = {
        "htype": "image",
        "msg_number": 3,
        "frame": 2,
        "shape": list(array.shape),
        "type": array.dtype.str,
        "compression": compression,
    }
    packed = compression == "bslz4"
    data = bitshuffle.compress_lz4(array).tobytes() if packed else array.tobytes()
    return [json.dumps({**head, **changed}).encode(), data]


@settings(deadline=None)
@given(
    st.sampled_from(DTYPES),
    st.sampled_from(["none", "bslz4"]),
    st.integers(1, 90),
    st.integers(1, 90),
    st.integers(0, 2**16),
)
def test_frames_come_back(dtype: str, compression: str, ny: int, nx: int, seed: int) -> None:
    array = np.random.default_rng(seed).integers(0, 200, (ny, nx)).astype(dtype)
    frame = parse(message(array, compression))
    assert isinstance(frame, StinsFrame)
    assert frame.frame == 2
    assert frame.image.dtype.isnative
    np.testing.assert_array_equal(frame.image, array)


@settings(deadline=None)
@given(st.sampled_from(DTYPES), st.integers(1, 90), st.integers(1, 90), st.data())
def test_truncated_frames_are_told(dtype: str, ny: int, nx: int, data: st.DataObject) -> None:
    array = np.random.default_rng(1).integers(0, 200, (ny, nx)).astype(dtype)
    for compression in ("none", "bslz4"):
        head, body = message(array, compression)
        cut = data.draw(st.integers(0, len(body) - 1))
        with pytest.raises(BadFrame):
            parse([head, body[:cut]])


def test_broken_compressed_blocks_are_told() -> None:
    array = np.random.default_rng(2).integers(0, 200, (100, 100)).astype(np.uint16)
    head, body = message(array, "bslz4")
    broken = bytearray(body)
    broken[4:200] = b"\xff" * 196
    with pytest.raises(BadFrame, match="decompress"):
        parse([head, bytes(broken)])


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"type": "float999"}, "float999"),
        ({"type": "U4"}, "U4"),
        ({"type": "complex64"}, "complex64"),
        ({"type": None}, "None"),
        ({"shape": [3, 5]}, "bytes"),
        ({"shape": [4]}, "shape"),
        ({"shape": [4, -5]}, "shape"),
        ({"shape": [4, 5.0]}, "shape"),
        ({"shape": [100_000, 100_000]}, "pixels"),
        ({"compression": "zstd"}, "zstd"),
        ({"compression": None}, "None"),
        ({"frame": None}, "frame number"),
        ({"htype": "poem"}, "poem"),
    ],
)
def test_a_bad_header_is_told(changed: dict, says: str) -> None:
    with pytest.raises(BadFrame, match=says):
        parse(message(np.zeros((4, 5), np.float32), **changed))


def test_header_with_and_without_camera_settings() -> None:
    head = json.dumps({"htype": "header", "msg_number": 1, "filename": "/a/raw/b.h5"}).encode()
    assert parse([head]) == StinsHeader("/a/raw/b.h5", {})
    assert parse([head, b'{"save_raw": true}']) == StinsHeader("/a/raw/b.h5", {"save_raw": True})
    assert parse([head, b""]) == StinsHeader("/a/raw/b.h5", {})


@pytest.mark.parametrize("part", [b"\x00", b"{", b"[1]", b"\xff\xfe", b"null", b"[" * 100_000])
def test_a_broken_second_part_costs_that_part_only(part: bytes) -> None:
    head = json.dumps({"htype": "header", "msg_number": 1, "filename": "/a/raw/b.h5"}).encode()
    header = parse([head, part])
    assert isinstance(header, StinsHeader)
    assert (header.filename, header.camera) == ("/a/raw/b.h5", {})
    assert "second part" in header.problem


@pytest.mark.parametrize("number", [2**32, 2**63, 2**63 + 1, 2**64, 10**30])
def test_a_frame_number_that_no_file_can_hold_is_refused(number: int) -> None:
    head, data = stins_image(1, 0, np.zeros((2, 2), np.uint16))
    changed = json.dumps({**json.loads(head), "frame": number}).encode()
    with pytest.raises(BadFrame, match=f"{number} is above 4294967295"):
        parse([changed, data])
    assert parse([json.dumps({**json.loads(head), "frame": 2**32 - 1}).encode(), data])


def test_series_end() -> None:
    assert parse([b'{"htype": "series_end", "msg_number": 9}']) == StinsEnd()


@pytest.mark.parametrize("parts", [[], [b""], [b"\xff\xfe"], [b"[1]"], [b"{}"]])
def test_what_is_no_message_is_told(parts: list[bytes]) -> None:
    with pytest.raises(BadFrame):
        parse(parts)


def test_an_image_that_is_discarded_has_a_number_and_no_pixels() -> None:
    array = np.ones((4, 5), np.uint16)
    assert parse(message(array, discard=True)) == StinsDiscarded(2)
    assert parse(message(array, discard=True)[:1]) == StinsDiscarded(2)
    assert isinstance(parse(message(array, discard=False)), StinsFrame)
    with pytest.raises(BadFrame):
        parse(message(array, discard=True, frame=-1))
