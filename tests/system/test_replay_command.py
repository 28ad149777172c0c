"""`femtotango replay`: a recording through Tango, and plain sentences for what cannot be done."""

import json
import pickle
import subprocess
import sys

import numpy as np
import psutil
import pytest
import tango
from support.command_line import run_here
from support.recordings import simulate_recording
from support.waiting import PATIENCE, wait_for

from femtotango.stack.running import running
from femtotango.stack.tango_client import connect
from pipeline.simulation.scan import BurstScan

pytestmark = pytest.mark.slow

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
        timeout=PATIENCE,
        check=False,
    )


@pytest.fixture(scope="module")
def replayed(lab6, tmp_path_factory):
    path = tmp_path_factory.mktemp("replay") / "params.json"
    path.write_text(json.dumps([{"name": n, "data": d} for n, d in PARAMETERS.items()]))
    with running(["replay", *lab6.files, "-p", str(path), "--keep-alive"]) as info:
        yield info


@pytest.fixture(scope="module")
def device(replayed):
    device = connect(replayed["device"])
    wait_for(lambda: device.ScanFinished, "the end of the replay")
    return device


def test_the_address_needs_no_database(replayed):
    assert replayed["device"].startswith("tango://127.0.0.1:")
    assert replayed["device"].endswith("#dbase=no")
    assert replayed["controller"] == replayed["reducer"]


def test_frames_steps_and_sum_of_the_recording(device, lab6):
    assert device.FrameCount == 30
    assert device.XAxis.tolist() == [1.0, 1.25, 1.5, 1.75, 2.0]
    assert device.XLabel == "dummy_mot_01"
    image = device.AccumulatedImage
    assert image.dtype == np.float32
    np.testing.assert_allclose(image, lab6.sum, rtol=3e-7, equal_nan=True)
    assert np.isnan(image).sum() == lab6.masked
    assert device.ImageSum == pytest.approx(lab6.total, abs=0.05)


def test_roi_curves_of_the_recording(device, lab6):
    roi = ROIS["ring"]
    part = lab6.frames[:, roi["y"] : roi["y"] + roi["height"], roi["x"] : roi["x"] + roi["width"]]
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


def test_parameters_as_dranspose_dumps_them(tmp_path):
    recording = simulate_recording(tmp_path, BurstScan(steps=2, burst=2))
    parameters = tmp_path / "params.pkl"
    # As the earlier pipeline called it.
    dumped = {"dump_prefix": b"", "integrate": b"True", "cmos_background": b"90"}
    parameters.write_bytes(pickle.dumps([{"name": n, "data": d} for n, d in dumped.items()]))
    with running(["replay", *recording.files, "-p", str(parameters), "--keep-alive"]) as info:
        device = connect(info["device"])
        wait_for(lambda: device.ScanFinished, "the end of the replay")
        assert device.FrameCount == 4
        assert device.Background == 90.0
        assert device.XAxis.tolist() == [1.0, 2.0]
        image = device.AccumulatedImage
    np.testing.assert_allclose(image, recording.sum, rtol=3e-7, equal_nan=True)


def test_without_keep_alive_it_shows_a_table_and_ends(lab6, tmp_path):
    path = tmp_path / "params.json"
    path.write_text('[{"name": "accumulate", "data": "True"}]')
    result = femtotango("replay", *lab6.files, "-p", str(path))
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"{lab6.total:,.1f}" in result.stdout
    assert "30" in result.stdout


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """Give a recording that is read in no time."""
    return simulate_recording(tmp_path_factory.mktemp("short"), BurstScan(steps=1, burst=1))


def test_nothing_is_left_behind(short):
    with running(["replay", *short.files, "--keep-alive"]) as info:
        processes = psutil.Process(info["pid"]).children(recursive=True)
        assert len(processes) == 2
    _, left = psutil.wait_procs(processes, timeout=PATIENCE)
    assert not left


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
def test_bad_parameters_are_named(short, tmp_path, parameters, sentence):
    path = tmp_path / "params.json"
    path.write_text(parameters)
    result = run_here("replay", short.sardana, "-p", path)
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
    result = run_here("replay", tmp_path / name)
    assert result.returncode == 1
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_a_missing_file_is_named(tmp_path):
    result = run_here("replay", tmp_path / "nix.cbors")
    assert result.returncode == 1
    assert result.stderr.strip() == f"{tmp_path / 'nix.cbors'}: no such file."
