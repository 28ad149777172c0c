"""The photon file of a process that is killed, and of a disk that is full."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from support.photons import read_columns
from support.repeats import repeats
from support.waiting import PATIENCE

TESTS = Path(__file__).parents[2]

WRITER = """
import sys, time
import numpy as np
from support.photons import PHOTON_SETTINGS, header, photon_frame
from pipeline.photons.scan_photons import PhotonScan

raw, interval = sys.argv[1], float(sys.argv[2])
scan = PhotonScan(header(raw), PHOTON_SETTINGS)
rng = np.random.default_rng(0)
frames = [photon_frame(rng, n) for n in rng.integers(0, 4000, 50)]
event = 0
print("ready", flush=True)
while True:
    scan.add(event, frames[event % 50])
    scan.flush()
    print(event, time.monotonic(), flush=True)
    event += 1
    time.sleep(interval)
"""

FULL_DISK = """
import resource, sys
import numpy as np
from support.photons import PHOTON_SETTINGS, header, photon_frame
from pipeline.photons.scan_photons import PhotonScan

resource.setrlimit(resource.RLIMIT_FSIZE, (10_000_000, 10_000_000))
scan = PhotonScan(header(sys.argv[1]), PHOTON_SETTINGS)
rng = np.random.default_rng(0)
for event in range(60):
    scan.add(event, photon_frame(rng, 5000))
    if event % 10 == 9:
        assert scan.wait(30)
scan.close(True)
assert scan.wait(30)
photons = scan.publish()[0]
print(photons.count, photons.trusted, scan.alarms()[0], photons.untrusted_frames, sep="|")
"""


def start(script: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", script, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": f"{TESTS}{os.pathsep}{TESTS.parent}"},
    )


@pytest.mark.parametrize("moment", range(repeats(5, 20)))
def test_the_file_opens_after_a_kill_and_lacks_at_most_the_last_second(moment, tmp_path):
    """Two of five moments lie within the first flushes, the others anywhere."""
    seconds = random.Random(moment).uniform(0, 0.6 if moment % 5 < 2 else 2.0)
    with start(WRITER, str(tmp_path / "raw" / "s.h5"), "0.002") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(seconds)
        process.kill()
        lines = process.stdout.read().splitlines()
    assert process.returncode == -signal.SIGKILL

    files = [path for path in (tmp_path / "process").glob("*") if path.suffix == ".h5"]
    assert len(files) <= 1
    added = [line.split() for line in lines if len(line.split()) == 2]
    # Since the last sign of life nothing had the chance to be written.
    last = float(added[-2][1]) if len(added) > 1 else 0.0
    older = [int(event) for event, when in added[:-1] if last - float(when) > 1.0]
    if not files:
        assert not older
        return
    columns = read_columns(files[0])
    with h5py.File(files[0]) as file:
        assert file["entry/complete"][()] == 0
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 4000, 50)
    if len(columns["frame"]):
        newest = int(columns["frame"][-1])
        frames = np.arange(newest + 1)
        np.testing.assert_array_equal(columns["frame"], np.repeat(frames, counts[frames % 50]))
        assert np.isfinite(columns["energy"]).all()
    expected = sum(int(counts[event % 50]) for event in older)
    assert len(columns["frame"]) >= expected


def test_a_full_disk_is_told_and_the_scan_goes_on(tmp_path):
    """A limit on the file's size refuses writes."""
    with start(FULL_DISK, str(tmp_path / "raw" / "s.h5")) as process:
        output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    count, trusted, alarm, frames = output.strip().split("|")
    assert count == "300000"
    assert trusted == "0"
    assert "s_xye.h5 could not be written: File too large" in alarm
    assert "check folder, permissions and space" in alarm
    lost = int(frames.split("-")[0])
    assert frames == f"{lost}-59"
    assert 10 <= lost <= 40
    # What was flushed before stays readable.
    columns = read_columns(tmp_path / "process" / "s_xye.h5")
    np.testing.assert_array_equal(columns["frame"], np.repeat(np.arange(lost), 5000))
    assert np.isfinite(columns["energy"]).all()


ENDS = """
import sys
import numpy as np
from support.photons import PHOTON_SETTINGS, header, photon_frame
from pipeline.photons.scan_photons import PhotonScan

scan = PhotonScan(header(sys.argv[1]), PHOTON_SETTINGS)
rng = np.random.default_rng(0)
for frame in range(200):
    scan.add(frame, photon_frame(rng, 100))
"""


def test_a_process_that_just_ends_has_written_all_that_came(tmp_path):
    with start(ENDS, str(tmp_path / "raw" / "s.h5")) as process:
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    columns = read_columns(tmp_path / "process" / "s_xye.h5")
    np.testing.assert_array_equal(columns["frame"], np.repeat(np.arange(200), 100))


TMPFS = """
import os, subprocess, sys
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", sys.argv[1]], check=True)
raw = sys.argv[1] + "/raw/s.h5"
os.execv(sys.executable, [sys.executable, "-W", "error", "-c", sys.argv[2], raw])
"""


def test_a_disk_that_fills_up(tmp_path):
    """On a real file system of 4 MB, in a name space of its own."""
    mounted = ["unshare", "--map-root-user", "--mount"]
    if subprocess.run([*mounted, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this machine allows no mounts of one's own")
    script = FULL_DISK.replace("resource.setrlimit", "pass; resource.getrlimit").replace(
        "(resource.RLIMIT_FSIZE, (10_000_000, 10_000_000))", "(resource.RLIMIT_FSIZE)"
    )
    script += """
from support.photons import read_columns
columns = read_columns(photons.filename)
print(*columns["frame"][[0, -1]], len(columns["frame"]), np.isfinite(columns["energy"]).all())
"""
    result = subprocess.run(
        [*mounted, sys.executable, "-c", TMPFS, tmp_path, script],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": f"{TESTS}{os.pathsep}{TESTS.parent}"},
    )
    assert result.returncode == 0, result.stderr
    told, rows = result.stdout.splitlines()
    count, trusted, alarm, frames = told.split("|")
    assert (count, trusted) == ("300000", "0")
    assert "No space left on device" in alarm
    lost = int(frames.split("-")[0])
    assert frames == f"{lost}-59"
    assert rows == f"0 {lost - 1} {lost * 5000} True"
