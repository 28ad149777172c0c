"""The interlock beside a Balor that does what cameras do on a bad day."""

import time
from contextlib import contextmanager
from dataclasses import replace

import pytest
import tango
from support.waiting import PATIENCE, wait_for
from tango.server import attribute
from tango.test_context import DeviceTestContext

from femtotango.component import save_raw_interlock
from femtotango.component.results_poller import Observation
from femtotango.component.state import Pipeline, View
from femtotango.device.balor_monitor import Balor
from femtotango.dranspose_client.services import Config, Service
from femtotango.errors import NoBalor
from femtotango.simulation.balor_device import BalorSimulator
from pipeline.protocols import snapshot
from pipeline.protocols.snapshot import NOTHING

SERVICE = Service("worker", "w1", "u", "h", "m")
NOWHERE = "tango://127.0.0.1:1/a/b/c#dbase=no"


class MoodyBalor(BalorSimulator):
    """Has no valid SaveRaw, or refuses to have it written, when it is told so."""

    Mood = attribute(dtype=str, access=tango.AttrWriteType.READ_WRITE, fget="get", fset="put")
    SaveRaw = attribute(
        dtype=bool, access=tango.AttrWriteType.READ_WRITE, fget="moody_read", fset="moody_write"
    )
    mood = ""

    def get(self) -> str:
        return self.mood

    def put(self, value: str) -> None:
        self.mood = value

    def moody_read(self):
        valid = self.mood != "invalid"
        quality = tango.AttrQuality.ATTR_VALID if valid else tango.AttrQuality.ATTR_INVALID
        return self._save_raw, time.time(), quality

    def moody_write(self, value: bool) -> None:
        if self.mood == "refuse":
            raise ValueError("The camera is busy.")
        self._save_raw = value


class Watched:
    """A Balor under watch, the view that is given and what is told."""

    def __init__(self, device: str) -> None:
        pipeline = Pipeline(config=Config((SERVICE,), (SERVICE,), SERVICE, "h", {}), error=None)
        self.view = View(pipeline=pipeline)
        self.show(may_drop_raw=1)
        self.save_raw: bool | None = None
        self.alarm = self.note = ""
        self.told = 0
        self.balor = Balor(device, lambda: self.view, self._tell)

    def show(self, mapping: str = "m", **photons: object) -> None:
        published = replace(
            NOTHING, scan=snapshot.Scan(mapping=mapping), photons=snapshot.Photons(**photons)
        )
        self.view = replace(self.view, results=Observation(published, error=None))

    def _tell(self, save_raw: bool | None, alarm: str, note: str) -> None:
        self.save_raw, self.alarm, self.note = save_raw, alarm, note
        self.told += 1

    def look(self) -> None:
        """Wait for a look that has begun after this call."""
        wanted = self.told + 2
        wait_for(lambda: self.told >= wanted)


@contextmanager
def watching(device: str):
    watched = Watched(device)
    watched.balor.start()
    try:
        yield watched
    finally:
        watched.balor.close()


@pytest.fixture
def camera():
    with DeviceTestContext(MoodyBalor, process=True, timeout=PATIENCE) as proxy:
        yield proxy


@pytest.fixture
def watched(camera):
    name = f"tango://{camera.get_dev_host()}:{camera.get_dev_port()}/{camera.name()}#dbase=no"
    with watching(name) as watched:
        wait_for(lambda: watched.save_raw is True)
        yield watched


def lose_trust(watched, frames, **more):
    watched.show(may_drop_raw=0, reason="It piles up.", untrusted_frames=frames, **more)


def test_the_alarm_follows_the_frames_until_save_raw_is_written(camera, watched):
    watched.balor.write(False)
    lose_trust(watched, "10-12")
    wait_for(lambda: "Frames 10-12 have neither" in watched.alarm)
    assert "was switched on again" in watched.alarm
    assert camera.SaveRaw
    lose_trust(watched, "10-70")
    wait_for(lambda: "Frames 10-70 have neither" in watched.alarm)
    lose_trust(watched, "1", mapping="next")
    watched.look()
    assert "Frames 10-70 have neither" in watched.alarm
    assert watched.alarm.endswith("Write SaveRaw to acknowledge.")
    watched.balor.write(True)
    wait_for(lambda: not watched.alarm)


def test_frames_are_named_when_the_camera_refuses_to_save_again(camera, watched):
    watched.balor.write(False)
    camera.Mood = "refuse"
    lose_trust(watched, "10-12")
    wait_for(lambda: "Frames 10-12 have neither" in watched.alarm)
    assert "is being switched on again" in watched.alarm
    assert "The camera is busy." in watched.alarm
    lose_trust(watched, "10-70")
    wait_for(lambda: "Frames 10-70 have neither" in watched.alarm)
    with pytest.raises(NoBalor, match="The camera is busy"):
        watched.balor.write(True)
    watched.look()
    assert "Frames 10-70 have neither" in watched.alarm, "a refused write acknowledges nothing"
    camera.Mood = ""
    wait_for(lambda: camera.SaveRaw)
    wait_for(lambda: "was switched on again" in watched.alarm)
    assert "Frames 10-70 have neither" in watched.alarm
    watched.balor.write(True)
    wait_for(lambda: not watched.alarm)


def test_an_invalid_save_raw_is_not_false(camera, watched):
    lose_trust(watched, "10-12")
    camera.Mood = "invalid"
    wait_for(lambda: "no valid value" in watched.note)
    watched.look()
    assert watched.save_raw is None
    assert not watched.alarm


@pytest.mark.parametrize("part", ["pipeline", "results"])
def test_a_dead_pipeline_is_raw_data_saved_again(camera, watched, part):
    watched.balor.write(False)
    watched.look()
    dead = replace(getattr(watched.view, part), error="No answer.")
    watched.view = replace(watched.view, **{part: dead})
    wait_for(lambda: camera.SaveRaw)
    wait_for(lambda: "The pipeline cannot be reached: No answer." in watched.alarm)


def test_a_pipeline_that_is_soon_back_takes_nothing_back(camera, watched, monkeypatch):
    monkeypatch.setattr(save_raw_interlock, "PATIENCE", PATIENCE)
    watched.balor.write(False)
    good = watched.view
    watched.view = replace(good, pipeline=replace(good.pipeline, error="No answer."))
    watched.look()
    watched.view = good
    for _ in range(4):
        watched.look()
    assert not camera.SaveRaw
    assert not watched.alarm


def test_the_watch_survives_what_nobody_thought_of(camera, watched, caplog):
    good = watched.view
    watched.view = None  # whatever a look does with it, it raises AttributeError
    wait_for(lambda: "AttributeError" in watched.alarm)
    assert watched.save_raw is None
    assert "SaveRaw could not be watched" in caplog.text
    watched.view = good
    wait_for(lambda: watched.save_raw is True and not watched.alarm)
    watched.balor.write(False)
    lose_trust(watched, "10-12")
    wait_for(lambda: camera.SaveRaw)


def test_a_balor_that_is_off_is_a_note():
    with watching(NOWHERE) as watched:
        wait_for(lambda: "is BalorDevice right" in watched.note)
        assert not watched.alarm
        assert watched.save_raw is None


def test_a_balor_that_went_away_without_saving_raw_data_is_an_alarm(camera, watched):
    watched.balor.write(False)
    watched.look()
    camera.Mood = "invalid"
    wait_for(lambda: "SaveRaw was false when it was seen last" in watched.alarm)
    assert not watched.note
    camera.Mood = ""
    wait_for(lambda: not watched.alarm)
