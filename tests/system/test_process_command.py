"""`femtotango process` and `verify` as commands: exit codes, Ctrl-C, a kill, recordings."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from support import post
from support.command_line import Done, run_here
from support.faint import faint_camera
from support.photons import read_columns, read_frames
from support.recordings import Recording
from support.waiting import wait_for

from pipeline.model.parameters import PARAMETERS
from pipeline.photons.calibration import calibrate
from pipeline.photons.calibration_file import write_calibration
from pipeline.postprocessing.outputs import Outputs
from pipeline.postprocessing.raw_file import read_series
from pipeline.postprocessing.run import Outcome
from pipeline.simulation.scan import BurstScan

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-m", "femtotango.cli"]


def settings(folder: Path, stream: str) -> str:
    path = folder / "settings.json"
    path.write_text(json.dumps(post.settings(stream).values()))
    return str(path)


def run(*arguments: object) -> Done:
    found = run_here(*arguments)
    assert "Traceback" not in found.stderr + found.stdout, found.stderr
    return found


def run_process(*arguments: object) -> "subprocess.CompletedProcess[str]":
    """Run a command as a user does: with an interpreter of its own, which costs seconds."""
    command = [*COMMAND, *map(str, arguments)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Traceback" not in found.stderr + found.stdout, found.stderr
    return found


def test_a_file_through_both_commands(tmp_path):
    images = post.frames(post.BALOR, 20)
    raw = post.raw_file(tmp_path / "raw" / "scan.h5", post.BALOR, images)
    options = ["--settings", settings(tmp_path, post.BALOR), "--jobs", "1"]
    done = run_process("process", raw, *options, "--plot")
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "process"
    names = {path.name for path in folder.iterdir()}
    assert names == {"scan_xye.h5", "scan_processed.h5", "scan_report.png"}
    # Nothing is overwritten, and the settings of a photon file are taken.
    xye = folder / "scan_xye.h5"
    before = xye.read_bytes()
    assert run("process", raw, "--settings", xye, "--jobs", "1").returncode == 0
    assert xye.read_bytes() == before
    assert (folder / "scan_xye_1.h5").exists()
    assert run("verify", xye, "--jobs", "1").returncode == 0
    with h5py.File(xye, "r+") as file:
        file["entry/photons/energy"][3] += 1
        frame = int(file["entry/photons/frame"][3])
    differ = run_process("verify", xye, raw, "--jobs", "1")
    assert differ.returncode == 1
    assert f"frame {frame}: photon" in differ.stdout


def test_photons_close_to_the_noise_and_corrected_positions(tmp_path):
    rng = np.random.default_rng(81)
    camera = faint_camera(rng, 256, 2.0)
    images = []
    for _ in range(30):
        y, x = camera.places(rng, 2e-3)
        images.append(camera.frame(rng, y, x, 80.0))
    raw = post.raw_file(tmp_path / "raw" / "scan.h5", post.ZYLA, images)
    calibration = tmp_path / "zyla.h5"
    write_calibration(calibration, calibrate(camera.frame(rng) for _ in range(40)))
    options = ["--method", "matched", "--calibration", calibration, "--false-per-frame", "0.5"]
    done = run("process", raw, *options, "--eta", "--jobs", "1")
    assert done.returncode == 0, done.stderr
    assert "The cloud of a photon has σ" in done.stdout
    assert "eta: χ² per bin" in done.stdout
    folder = tmp_path / "process"
    names = {path.name for path in folder.iterdir()}
    assert names == {"scan_xye.h5", "scan_processed.h5", "scan_report.png"}
    columns = read_columns(folder / "scan_xye.h5")
    assert {"snr", "energy_error", "chi_square", "y_plain", "x_plain"} <= set(columns)
    assert len(columns["snr"]) > 2500


@pytest.mark.parametrize(
    "arguments, code, said",
    [
        (["{missing}"], 3, "no such file"),
        (["{raw}", "--camera", "nikon"], 2, "nikon"),
        (["{raw}", "--settings", '{"backgrund": 1}'], 2, "did you mean background"),
        (["{raw}", "--output", "/proc/none"], 5, "--output"),
        (["{raw}", "--jobs", "-1"], 2, "--jobs"),
        (["{raw}", "--cloud", "0.7"], 2, "--method matched"),
        (["{raw}", "--scan", "{missing}"], 3, "no such file"),
    ],
)
def test_what_cannot_be_done(arguments, code, said, tmp_path):
    raw = post.raw_file(tmp_path / "raw" / "scan.h5", post.ZYLA, post.frames(post.ZYLA, 2))
    given = [
        text.format(raw=raw, missing=tmp_path / "none.h5") if text[:2] != '{"' else text
        for text in arguments
    ]
    done = run_here("process", *given)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_last_frame_that_is_cut_off_is_told(tmp_path):
    images = post.frames(post.BALOR, 10)
    raw = post.raw_file(tmp_path / "raw" / "scan.h5", post.BALOR, images)
    (series,) = read_series(raw)
    piece = series.frames[-1].pieces[0]
    with raw.open("rb+") as file:
        file.truncate(piece.offset + piece.size - 100)
    done = run("process", raw, "--settings", settings(tmp_path, post.BALOR), "--jobs", "1")
    assert done.returncode == 7
    assert "frame 9 is cut off" in done.stderr
    with h5py.File(tmp_path / "process" / "scan_xye.h5") as file:
        assert file["entry/frames/status"][()].tolist() == [0] * 9 + [2]


@pytest.mark.parametrize("stream", [post.BALOR, post.ZYLA, post.PILATUS])
def test_what_the_device_shows_of_the_same_scan(stream, player, tmp_path):
    images = post.frames(stream, 12)
    raw = post.raw_file(tmp_path / "raw" / "scan.h5", stream, images)
    values = post.settings(stream).values()
    given = {name: value for name, value in values.items() if value != PARAMETERS[name].default}
    player.write(**{str(PARAMETERS[name].attribute): value for name, value in given.items()})
    # Else it would be that of the camera that the test before has left on show.
    player.write(GeometryCamera=stream)
    scan = BurstScan(steps=3, burst=4)
    player.prepare(stream, scan)
    player.play(stream, images, scan, filename=str(raw), compression="bslz4")
    player.wait_finished()
    post.write_scan_file(tmp_path / "sardana.h5", scan.positions, scan.burst)
    options = ["--settings", settings(tmp_path, stream), "--scan", tmp_path / "sardana.h5"]
    jobs = "2" if stream == post.BALOR else "1"
    done = run("process", raw, *options, "--jobs", jobs, "--output", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    with h5py.File(tmp_path / "out" / "scan_processed.h5") as file:
        entry = file["entry"]
        image = entry["image/image"][()].astype(np.float32)
        np.testing.assert_array_equal(image, player.read("AccumulatedImage"))
        np.testing.assert_array_equal(player.read("XAxis"), entry["step_means/a/x"][()])
        for row, name in enumerate(("a", "b")):
            steps = entry[f"step_means/{name}"]
            np.testing.assert_array_equal(player.read("RoiMeanCurves")[row], steps["y"][()])
            np.testing.assert_array_equal(player.read("RoiMeanErrors")[row], steps["y_errors"][()])
        curve = entry["azimuthal"]
        np.testing.assert_array_equal(player.read("AzimuthalQ"), curve["q"][()])
        np.testing.assert_array_equal(player.read("AzimuthalIntensity"), curve["intensity"][()])
    if stream != post.BALOR:
        return
    live, again = Path(player.read("PhotonFile")), tmp_path / "out" / "scan_xye.h5"
    for name, column in read_columns(live).items():
        np.testing.assert_array_equal(read_columns(again)[name], column)
    assert read_frames(again) == read_frames(live)
    done = run("verify", live, "--jobs", "1")
    assert done.returncode == 0, done.stdout


def test_a_file_with_a_later_series_gives_results_of_each(tmp_path):
    raw = tmp_path / "raw" / "scan.h5"
    for count, seed in ((6, 0), (9, 1)):
        post.raw_file(raw, post.BALOR, post.frames(post.BALOR, count, seed))
    done = run("process", raw, "--settings", settings(tmp_path, post.BALOR), "--jobs", "1")
    assert done.returncode == 0, done.stderr + done.stdout
    folder = tmp_path / "process"
    for name, count in (("scan_processed.h5", 6), ("scan_processed_1.h5", 9)):
        with h5py.File(folder / name) as file:
            assert file["entry/scan/frames"][()] == count
    assert not list(folder.glob("*_unfinished"))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_command_that_is_ended_goes_on(how, tmp_path):
    images = post.frames(post.BALOR, 400)
    raw = post.raw_file(tmp_path / "raw" / "scan.h5", post.BALOR, images)
    live = post.live(raw, post.BALOR, images)
    output = tmp_path / "out"
    options = ["process", raw, "--settings", settings(tmp_path, post.BALOR)]
    command = [*COMMAND, *map(str, options), "--output", str(output), "--jobs", "2"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )

    def begun() -> bool:
        journals = list(output.glob("*_unfinished/journal"))
        return bool(journals) and journals[0].stat().st_size > 20_000

    wait_for(begun, "the first blocks are done")
    # Ctrl-C reaches all processes of a terminal.
    if how == signal.SIGINT:
        os.killpg(process.pid, how)
    else:
        process.send_signal(how)
    _, error = process.communicate()
    assert process.returncode == (130 if how == signal.SIGINT else -signal.SIGKILL)
    if how == signal.SIGINT:
        assert "--resume" in error and "Traceback" not in error
    assert run(*options, "--output", output).returncode == 5
    done = run(*options, "--output", output, "--resume")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in output.iterdir()} == {"scan_xye.h5", "scan_processed.h5"}
    outputs = Outputs(str(output / "scan_xye.h5"), str(output / "scan_processed.h5"), "")
    post.processed(Outcome(outputs, 400, 400, 0, 0, 0, "")).assert_same(live)


def test_recordings(lab6: Recording, tmp_path):
    values = {"photon_energy": 13.5, "distance": 0.131, "beam_x": 210, "beam_y": 373}
    values["rois"] = {"a": {"x": 100, "y": 100, "width": 300, "height": 300}}
    options = ["--settings", json.dumps(values), "--output", tmp_path, "--plot"]
    done = run("process", *lab6.files, *options)
    assert done.returncode == 0, done.stderr
    (path,) = tmp_path.glob("*_processed.h5")
    with h5py.File(path) as file:
        image = file["entry/image/image"][()]
        mask = file["entry/instrument/detector/pixel_mask"][()].astype(bool)
        np.testing.assert_array_equal(mask, np.isnan(lab6.sum))
        np.testing.assert_array_equal(image[~mask], lab6.sum[~mask])
        assert file["entry/step_means/a/x"][()].tolist() == [1.0, 1.25, 1.5, 1.75, 2.0]
        assert file["entry/step_means/a/n"][()].tolist() == [6] * 5
        assert np.isfinite(file["entry/azimuthal/intensity"][()]).sum() > 500
