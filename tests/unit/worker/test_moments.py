"""Which events a worker does where it waits for messages: those that can hold up nothing."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pipeline.model.correction_files import CorrectionFile, format_files
from pipeline.protocols.stins import stins_end, stins_header, stins_image
from pipeline.worker import femtomax_worker, frame_buffer
from pipeline.worker.femtomax_worker import FemtomaxWorker, compile_kernels
from pipeline.worker.moments import Moments

PILATUS, ZYLA = "pilatus", "andor3_zyla10"


def test_a_stream_is_foreseen_from_its_own_newest_event() -> None:
    moments = Moments()
    assert not moments.foresees([PILATUS])
    moments.note([PILATUS], 0.001, plain=True)
    assert moments.foresees([PILATUS])
    assert not moments.foresees([PILATUS, ZYLA])
    moments.note([ZYLA], 0.5, plain=True)
    assert not moments.foresees([ZYLA])
    assert moments.foresees([PILATUS])
    moments.note([PILATUS], 0.001, plain=False)
    assert not moments.foresees([PILATUS])


class Clock:
    """A monotonic clock that stands still unless it is told otherwise."""

    def __init__(self) -> None:
        self.now = 0.0
        self.step = 0.0

    def __call__(self) -> float:
        self.now += self.step
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    compile_kernels()
    clock = Clock()
    for module in (femtomax_worker, frame_buffer):
        # On a busy machine pixels would be flushed between two frames: these would not be alike.
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=clock))
    return clock


class Scene:
    """A worker that gets messages of a Pilatus."""

    def __init__(self) -> None:
        self.parameters: dict[str, Any] = {}
        self.set(accumulate="true", accumulation_id="1")
        state = SimpleNamespace(name="w1", mapping_uuid="m")
        self.worker = FemtomaxWorker(parameters=self.parameters, context={}, state=state)
        self._event = 0

    def set(self, **values: str) -> None:
        for name, value in values.items():
            self.parameters[name] = SimpleNamespace(data=value.encode())

    def event(self, message: Any) -> Any:
        streams = {PILATUS: SimpleNamespace(frames=message)}
        return SimpleNamespace(event_number=self._event, streams=streams)

    def frame(self) -> Any:
        return self.event(stins_image(self._event, self._event, np.ones((4, 5), np.float32)))

    def take(self, event: Any) -> None:
        self.worker.process_event(event, self.parameters)
        self._event += 1

    @property
    def is_momentary(self) -> bool:
        return self.worker.takes_a_moment(self.frame(), self.parameters)


def begun() -> Scene:
    """Return a scene in the middle of a series."""
    scene = Scene()
    scene.take(scene.event(stins_header(0)))
    assert not scene.is_momentary
    scene.take(scene.frame())
    assert scene.is_momentary
    return scene


def end_series(scene: Scene, clock: Clock) -> None:
    scene.take(scene.event(stins_end(scene._event)))


def change_settings(scene: Scene, clock: Clock) -> None:
    scene.set(background="101")


def take_a_slow_frame(scene: Scene, clock: Clock) -> None:
    clock.step = 0.03
    scene.take(scene.frame())


@pytest.mark.parametrize("happens", [end_series, change_settings, take_a_slow_frame])
def test_what_may_last_gets_a_thread(clock: Clock, happens: Callable[[Scene, Clock], None]) -> None:
    scene = begun()
    happens(scene, clock)
    assert not scene.is_momentary


def test_frames_get_a_thread_while_a_file_cannot_be_read(clock: Clock, tmp_path: Any) -> None:
    scene = begun()
    missing = CorrectionFile(str(tmp_path / "missing.h5"))
    scene.set(mask=format_files({PILATUS: missing}))
    # The file is looked at again and again: its disk may hang.
    for _ in range(3):
        scene.take(scene.frame())
        assert not scene.is_momentary
    scene.set(mask="")
    scene.take(scene.frame())
    assert scene.is_momentary
