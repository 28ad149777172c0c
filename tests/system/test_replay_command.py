"""`femtotango replay`: the capture through Tango, and plain sentences for what cannot be done."""

import gzip
import json
import pickle
import subprocess
import sys
import time

import cbor2
import numpy as np
import psutil
import pytest
import tango
from dranspose.event import InternalWorkerMessage, StreamData, message_encoder
from dranspose.replay import get_internals
from support.captures import capture

from femtotango.stack.running import running
from femtotango.stack.tango_client import connect
from pipeline.protocols.stins import StinsFrame, parse, stins_series
from pipeline.simulation.scan import BurstScan, detector_frames, sardana_records

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

ROIS = {"ring": {"x": 355, "y": 330, "width": 35, "height": 90}}
PARAMETERS = {
    "accumulate": "True",
    "rois": json.dumps(ROIS),
    "photon_energy": "13.5",
    "distance": "0.131",
    "azimuthal_bins": "500",
}


def femtotango(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "femtotango.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def files():
    return [str(capture("lab6_pilatus.cbors.gz")), str(capture("lab6_sardana.cbors"))]


@pytest.fixture(scope="module")
def stack_of_frames(files):
    frames = []
    for message in get_internals(files[0]):
        content = parse(message.streams["pilatus"].frames)
        if isinstance(content, StinsFrame):
            frames.append(content.image)
    return np.array(frames)


@pytest.fixture(scope="module")
def replayed(files, tmp_path_factory):
    path = tmp_path_factory.mktemp("replay") / "params.json"
    path.write_text(json.dumps([{"name": n, "data": d} for n, d in PARAMETERS.items()]))
    with running(["replay", *files, "-p", str(path), "--keep-alive"]) as info:
        yield info


@pytest.fixture(scope="module")
def device(replayed):
    device = connect(replayed["device"])
    while not device.ScanFinished:
        time.sleep(0.05)
    return device


def test_the_address_needs_no_database(replayed):
    assert replayed["device"].startswith("tango://127.0.0.1:")
    assert replayed["device"].endswith("#dbase=no")
    assert replayed["controller"] == replayed["reducer"]


def test_frames_steps_and_sum_of_the_capture(device, stack_of_frames):
    assert device.FrameCount == 30
    assert device.XAxis.tolist() == [1.0, 1.25, 1.5, 1.75, 2.0]
    assert device.XLabel == "dummy_mot_01"
    image = device.AccumulatedImage
    assert image.dtype == np.float32
    good = (stack_of_frames >= 0).any(axis=0)
    truth = np.where(stack_of_frames >= 0, stack_of_frames, 0).sum(axis=0, dtype=np.float64)
    assert np.array_equal(np.isnan(image), ~good)
    assert (~good).sum() == 108_441
    np.testing.assert_allclose(image[good], truth[good], rtol=3e-7)
    assert device.ImageSum == pytest.approx(1_555_495.6, abs=0.05)


def test_roi_curves_of_the_capture(device, stack_of_frames):
    roi = ROIS["ring"]
    part = stack_of_frames[
        :, roi["y"] : roi["y"] + roi["height"], roi["x"] : roi["x"] + roi["width"]
    ]
    means = np.array([p[p >= 0].mean(dtype=np.float64) for p in part]).reshape(5, 6)
    assert list(device.RoiNames) == ["ring"]
    np.testing.assert_allclose(device.RoiMeanCurves[0], means.mean(axis=1), rtol=1e-6)
    errors = means.std(axis=1, ddof=1) / np.sqrt(6)
    np.testing.assert_allclose(device.RoiMeanErrors[0], errors, rtol=1e-6)


def test_the_parameters_are_the_attributes(device):
    assert device.Accumulate is True
    assert device.PhotonEnergy == 13.5
    assert device.AzimuthalBins == 500
    assert json.loads(device.Rois) == ROIS


def test_events_are_counted(device):
    assert (device.EventsProcessed, device.EventsTotal) == (32, 32)
    assert device.ScanTitle == "burstscan dummy_mot_01 1.0 2.0 4 6"
    assert device.state() == tango.DevState.ON


def test_attributes_can_be_written_while_it_is_kept_alive(device):
    device.CmosThreshold = 33.0
    assert device.CmosThreshold == 33.0
    assert device.FrameCount == 30


def record(path, stream, kind, messages):
    """Write a recording as dranspose's ingesters do; messages by event number."""
    with gzip.open(path, "wb") as file:
        for event, parts in messages:
            message = InternalWorkerMessage(
                event_number=event, streams={stream: StreamData(typ=kind, frames=parts)}
            )
            cbor2.dump(cbor2.CBORTag(55799, message), file, default=message_encoder)


def test_a_recording_of_simulated_streams(tmp_path):
    scan = BurstScan(steps=2, burst=2)
    frames = list(detector_frames("pilatus", 1, scan.frame_positions))
    records = [json.dumps(r).encode() for r in sardana_records(scan)]
    camera, sardana = tmp_path / "pilatus.cbors.gz", tmp_path / "sardana.cbors.gz"
    record(camera, "pilatus", "STINS", enumerate(stins_series(frames)))
    record(sardana, "sardana", "sardana", zip([0, 2, 4, 5], ([r] for r in records), strict=True))
    parameters = tmp_path / "params.pkl"
    dumped = {"dump_prefix": b"", "accumulate": b"True"}
    parameters.write_bytes(pickle.dumps([{"name": n, "data": d} for n, d in dumped.items()]))
    files = [str(camera), str(sardana)]
    with running(["replay", *files, "-p", str(parameters), "--keep-alive"]) as info:
        device = connect(info["device"])
        while not device.ScanFinished:
            time.sleep(0.05)
        assert device.FrameCount == 4
        assert device.XAxis.tolist() == [1.0, 2.0]
        image = device.AccumulatedImage
    total = np.where(np.array(frames) < 0, np.nan, frames).sum(axis=0, dtype=np.float64)
    np.testing.assert_allclose(image, total, rtol=3e-7, equal_nan=True)


def test_without_keep_alive_it_shows_a_table_and_ends(files, tmp_path):
    path = tmp_path / "params.json"
    path.write_text('[{"name": "accumulate", "data": "True"}]')
    result = femtotango("replay", *files, "-p", str(path))
    assert result.returncode == 0, result.stdout + result.stderr
    assert "1,555,495.6" in result.stdout
    assert "30" in result.stdout


def test_nothing_is_left_behind(files, tmp_path):
    with running(["replay", *files, "--keep-alive"]) as info:
        processes = psutil.Process(info["pid"]).children(recursive=True)
        assert len(processes) == 2
    psutil.wait_procs(processes, timeout=5)
    assert not [p for p in processes if p.is_running()]


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ('[{"name": "accumulate", "data": "maybe"}]', "accumulate = 'maybe': expected True or"),
        ('[{"name": "rois", "data": "{"}]', "is not JSON"),
        ("no list", "cannot be read"),
        (
            '[{"name": "acumulate", "data": "True"}]',
            "there is no 'acumulate'; did you mean accumulate",
        ),
        ('[{"name": "zzzz", "data": "1"}]', "there is no 'zzzz'; known: accumulate, "),
    ],
)
def test_bad_parameters_are_named(files, tmp_path, parameters, sentence):
    path = tmp_path / "params.json"
    path.write_text(parameters)
    result = femtotango("replay", files[1], "-p", str(path))
    assert result.returncode == 1
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("x.cbors", b"\x01\x02", "x.cbors is no recording"),
        ("x.cbors.gz", b"no recording", "x.cbors.gz is no recording"),
        ("x.cbors", b"", "x.cbors holds no events"),
    ],
)
def test_what_is_no_recording_is_named(tmp_path, name, content, sentence):
    (tmp_path / name).write_bytes(content)
    result = femtotango("replay", str(tmp_path / name))
    assert result.returncode == 1
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_a_missing_file_is_named(tmp_path):
    result = femtotango("replay", str(tmp_path / "nix.cbors"))
    assert result.returncode == 1
    assert result.stderr.strip() == f"{tmp_path / 'nix.cbors'}: no such file."
