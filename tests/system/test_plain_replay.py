"""`dranspose replay` with our classes alone, as the owner develops: no stack, no Tango."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import h5pyd
import numpy as np
import pytest
import silx.io
from silx.io.nxdata import get_default
from support.recordings import Recording, write_recording
from support.repeats import repeats

from femtotango.stack.ports import Ports
from pipeline.protocols.stins import stins_series

pytestmark = pytest.mark.slow

RUNS = repeats(3, 6)
"""dranspose deals the frames out by chance, so one good run proves little; each number of workers
has as many."""


def command(files: Sequence[str | Path], parameters: Path, port: int, workers: int) -> list[str]:
    return [
        *(sys.executable, "-c", "from dranspose.cli import run; run()", "replay"),
        *("-w", "pipeline.worker:FemtomaxWorker", "-r", "pipeline.reducer:FemtomaxReducer"),
        *("-f", *map(str, files)),
        *("-p", str(parameters), "--port", str(port)),
        *("--nworkers", str(workers)),
    ]


@contextmanager
def replayed(files: Sequence[str | Path], parameters: Path, workers: int) -> Iterator[str]:
    """Run the command until it has replayed everything; give the address of its results."""
    with Ports() as ports:
        port = ports.new()
        line = [*command(files, parameters, port, workers), "--keep-alive"]
        environment = os.environ | {"PYTHONUNBUFFERED": "1"}
        with subprocess.Popen(
            line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
        ) as process:
            try:
                assert process.stdout is not None
                assert any("press ctrl-C" in line for line in process.stdout), "it ended"
                yield f"http://localhost:{port}"
            finally:
                process.kill()


def test_the_same_recording_again_and_again(lab6: Recording, tmp_path: Path) -> None:
    parameters = tmp_path / "params.json"
    parameters.write_text(json.dumps([{"name": "accumulate", "data": "True"}]))
    for number in range(RUNS):
        with replayed(lab6.files, parameters, workers=1 + number % 3) as address:
            file = h5pyd.File("/", "r", endpoint=address, username="", password="")
            with file:
                assert int(file["accumulated_number"][()]) == 30
                image = np.asarray(file["image"][:])
                np.testing.assert_allclose(file["x"][:], [1.0, 1.25, 1.5, 1.75, 2.0])
        assert np.isnan(image).sum() == lab6.masked
        assert np.nansum(image, dtype=np.float64) == pytest.approx(lab6.total, abs=0.05)
        np.testing.assert_allclose(image, lab6.sum, rtol=3e-7, equal_nan=True)


def test_the_sum_is_saved_when_the_replay_ends(lab6: Recording, tmp_path: Path) -> None:
    parameters, folder = tmp_path / "params.json", tmp_path / "sums"
    folder.mkdir()
    parameters.write_text(
        json.dumps(
            [
                {"name": "accumulate", "data": "True"},
                {"name": "output_folder", "data": str(folder)},
            ]
        )
    )
    with Ports() as ports:
        ended = subprocess.run(
            command(lab6.files, parameters, ports.new(), workers=2),
            capture_output=True,
            check=False,
        )
    assert ended.returncode == 0, ended.stderr.decode()
    (saved,) = folder.iterdir()
    with silx.io.open(str(saved)) as file:
        image = get_default(file).signal[()]
    assert np.nansum(image, dtype=np.float64) == pytest.approx(lab6.total, abs=0.05)


@pytest.mark.parametrize("own", [True, False], ids=["own events", "one event"])
def test_recordings_of_several_cameras(tmp_path: Path, own: bool) -> None:
    frames, cameras = 9, ("pilatus", "andor3_zyla12")
    rng = np.random.default_rng(5)
    images = {
        "pilatus": rng.integers(0, 50, (frames, 40, 50)).astype(np.float32),
        "andor3_zyla12": rng.integers(113, 900, (frames, 30, 20)).astype(np.uint16),
    }
    files = []
    for place, camera in enumerate(cameras):
        last = frames * len(cameras) + 1 if own else frames + 1
        between = [place + 1 + len(cameras) * f if own else f + 1 for f in range(frames)]
        messages = stins_series(list(images[camera]))
        path = tmp_path / f"{camera}.cbors"
        write_recording(path, camera, "STINS", zip([0, *between, last], messages, strict=True))
        files.append(path)
    parameters = tmp_path / "params.json"
    parameters.write_text(json.dumps([{"name": "accumulate", "data": "True"}]))
    for number in range(RUNS):
        with (
            replayed(files, parameters, workers=1 + number % 3) as address,
            h5pyd.File("/", "r", endpoint=address, username="", password="") as file,
        ):
            for camera in cameras:
                group = file[f"cameras/{camera}"]
                assert int(group["accumulated_number"][()]) == frames
                assert int(group["scan_frames"][()]) == frames
                dark = 0 if camera == "pilatus" else 100
                total = (images[camera].astype(float) - dark).sum(axis=0)
                np.testing.assert_array_equal(np.asarray(group["image"][:]), total)
            assert int(file["scan/ended"][()]) == 1
