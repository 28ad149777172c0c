"""Simulated streams: what they look like, and that the project and dranspose read them."""

import json

import numpy as np
import pytest
from dranspose.data.sardana import SardanaPacket
from dranspose.event import StreamData
from dranspose.middlewares.stream1 import parse as dranspose_parse
from pyFAI.detectors import Detector
from pyFAI.integrator.azimuthal import AzimuthalIntegrator

from pipeline.frames.roi_statistics import cmos_statistics
from pipeline.model.cameras import CAMERAS
from pipeline.model.roi import Roi
from pipeline.model.roi_statistics import STATISTICS
from pipeline.protocols.stins import (
    StinsEnd,
    StinsFrame,
    StinsHeader,
    parse,
    stins_end,
    stins_header,
    stins_image,
    stins_series,
)
from pipeline.simulation.pilatus import (
    BEAM,
    DISTANCE,
    PILATUS_SHAPE,
    LaB6Pilatus,
    brightness,
    lab6_lines,
    polarization,
    q_of_pixels,
)
from pipeline.simulation.scan import BurstScan, detector_frames, sardana_records
from pipeline.simulation.shots import I0, MEAN_I0, shot_strengths
from pipeline.simulation.zyla import spot_place


@pytest.mark.parametrize("stream", CAMERAS)
def test_same_seed_gives_same_frames(stream):
    first, again, other = (next(detector_frames(stream, seed, [1.5])) for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("camera", CAMERAS.values(), ids=lambda camera: camera.stream)
def test_frames_are_as_the_table_of_cameras_says(camera):
    frame = next(detector_frames(camera.stream, 1, [1.5]))
    assert frame.shape == camera.shape
    assert frame.dtype == camera.dtype


def test_unknown_stream_is_refused():
    with pytest.raises(ValueError, match="pilatus"):
        detector_frames("eiger", 0, [0.0])


def test_pilatus_looks_like_the_capture():
    frames = np.array(list(detector_frames("pilatus", 1, [1.5] * 5)))
    assert frames.dtype == np.float32
    assert frames.shape[1:] == PILATUS_SHAPE
    assert np.unique(frames[frames < 0]).tolist() == [-2.0, -1.0]
    masked = (frames[0] < 0).sum()
    assert 108_300 < masked < 108_500
    photons = (frames > 0).sum(axis=(1, 2))
    assert ((photons > 4000) & (photons < 6500)).all()
    steps = frames[frames > 0] / 0.1
    assert np.abs(steps - np.round(steps)).max() < 1e-3


def test_pilatus_brightness_follows_the_motor():
    dark, bright = (list(detector_frames("pilatus", 1, [p] * 4)) for p in (0.0, 1.5))
    ratio = np.clip(bright, 0, None).sum() / np.clip(dark, 0, None).sum()
    assert ratio == pytest.approx(brightness(1.5) / brightness(0.0), rel=0.05)


def test_pilatus_rings_stand_at_the_lines_of_lab6():
    rng = np.random.default_rng(1)
    detector = LaB6Pilatus(1)
    total = sum(np.clip(detector.frame(rng), 0, None) for _ in range(30))
    q, good = q_of_pixels(), detector.empty == 0
    lines = list(lab6_lines(5.5))
    for line in (lines[1], lines[4], lines[5]):
        on = good & (np.abs(q - line) < 0.015)
        off = good & (np.abs(np.abs(q - line) - 0.09) < 0.015)
        assert total[on].mean() > 2 * total[off].mean()


def test_the_spot_of_the_zyla_is_where_it_is_said_to_be():
    positions = [1.0, 1.37, 2.0]
    for image, position in zip(
        detector_frames("andor3_zyla10", 2, positions), positions, strict=True
    ):
        y, x = spot_place(position)
        roi = Roi(round(x) - 50, round(y) - 50, 101, 101)
        (found,) = cmos_statistics(image, [roi], 100.0, 12.0)
        at = [found[STATISTICS.index(axis)] for axis in ("x", "y")]
        assert at == pytest.approx([x, y], abs=0.1)


@pytest.mark.parametrize("stream", CAMERAS)
def test_cameras_and_monitor_see_the_same_shots(stream):
    scan = BurstScan(steps=2, burst=1, first=1.5, last=1.5, fluctuation=0.9, shots_seed=4)
    weak, strong = sorted(range(2), key=lambda shot: scan.strengths[shot])
    frames = list(detector_frames(stream, 4, scan.frame_positions, scan.strengths))
    light = [np.clip(np.asarray(image, np.float64) - 120, 0, None).sum() for image in frames]
    if stream == "pilatus":
        light = [np.clip(image, 0, None).sum() for image in frames]
    records = sardana_records(scan)
    monitor = [record[I0] for record in records[1:-1]]
    assert monitor == [MEAN_I0 * strength for strength in scan.strengths]
    ratio = monitor[strong] / monitor[weak]
    assert ratio > 1.5
    # Hot pixels and noise do not follow the light.
    assert light[strong] / light[weak] == pytest.approx(ratio, rel=0.2)
    assert I0 in [column["name"] for column in records[0]["column_desc"]]


def test_shots_fluctuate_as_they_should():
    strengths = np.array(shot_strengths(1, 20_000, 0.3))
    assert strengths.mean() == pytest.approx(1, abs=0.01)
    assert strengths.std() == pytest.approx(0.3, abs=0.01)
    assert strengths.min() > 0
    assert shot_strengths(1, 3, 0) == [1, 1, 1]
    with pytest.raises(ValueError, match="fluctuation 2"):
        shot_strengths(1, 3, 2)


def test_polarization_is_that_of_pyfai():
    factor = 0.9
    integrator = AzimuthalIntegrator(detector=Detector(172e-6, 172e-6, max_shape=PILATUS_SHAPE))
    integrator.setFit2D(1000 * DISTANCE, BEAM[1], BEAM[0])
    theirs = integrator.polarization(PILATUS_SHAPE, factor)
    np.testing.assert_allclose(polarization(factor), theirs, rtol=1e-5)


def test_first_lines_of_lab6():
    lines = lab6_lines(3.1)
    assert list(lines) == pytest.approx(
        [2 * np.pi / 4.1569 * np.sqrt(n) for n in (1, 2, 3, 4)], rel=1e-12
    )
    assert list(lines.values()) == [6, 12, 8, 6]


@pytest.mark.parametrize("compression", ["none", "bslz4"])
@pytest.mark.parametrize("dtype", [np.uint16, np.float32, np.int32])
def test_images_are_read_back(compression, dtype):
    image = np.arange(37 * 53).reshape(37, 53).astype(dtype)
    message = stins_image(5, 4, image, compression)
    result = parse(message)
    assert isinstance(result, StinsFrame)
    assert result.frame == 4
    assert result.image.dtype == dtype
    assert np.array_equal(result.image, image)


def test_dranspose_reads_the_series():
    image = np.full((4, 6), 7, np.uint16)
    messages = list(stins_series([image, image], "/data/raw/x.h5", {"save_raw": True}))
    packets = [dranspose_parse(StreamData(typ="STINS", frames=m)) for m in messages]
    assert [p.htype for p in packets] == ["header", "image", "image", "series_end"]
    assert [p.msg_number for p in packets] == [0, 1, 2, 3]
    assert np.array_equal(packets[1].data, image)
    assert packets[0].filename == "/data/raw/x.h5"
    assert json.loads(messages[0][1]) == {"save_raw": True}


def test_header_without_camera_has_one_part():
    assert len(stins_header(0)) == 1
    assert isinstance(parse(stins_header(0)), StinsHeader)
    assert isinstance(parse(stins_end(9)), StinsEnd)


def test_unknown_compression_is_refused():
    with pytest.raises(ValueError, match="bslz4"):
        stins_image(0, 0, np.zeros((2, 2)), "gzip")


def test_sardana_records_have_the_motor():
    scan = BurstScan(steps=5, burst=6)
    records = sardana_records(scan)
    packets = [SardanaPacket.validate_python(record) for record in records]
    assert [p.type for p in packets] == ["DataDescription", *["RecordData"] * 5, "RecordEnd"]
    assert [r[scan.motor] for r in records[1:-1]] == [1.0, 1.25, 1.5, 1.75, 2.0]
    assert records[0]["ref_moveables"] == [scan.motor]
    assert records[0]["title"] == "burstscan dummy_mot_01 1.0 2.0 4 6"
    assert len(scan.frame_positions) == 30
