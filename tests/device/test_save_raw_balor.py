"""The interlock beside a Balor that does what cameras do on a bad day."""

import pytest
from support.moody_balor import MoodyBalor, watching
from support.waiting import PATIENCE, wait_for
from tango.test_context import DeviceTestContext

from femtotango.component.raw_data import Drop, RawData
from femtotango.component.scan_progress import Scan
from femtotango.device.balor_monitor import Seen
from femtotango.errors import NoBalor, NotTrusted

NOWHERE = "tango://127.0.0.1:1/a/b/c#dbase=no"


@pytest.fixture(scope="module")
def balor():
    with DeviceTestContext(MoodyBalor, process=True, timeout=PATIENCE) as proxy:
        yield proxy


@pytest.fixture
def camera(balor):
    balor.Mood = ""
    balor.SaveRaw = True
    return balor


@pytest.fixture
def name(camera):
    return f"tango://{camera.get_dev_host()}:{camera.get_dev_port()}/{camera.name()}#dbase=no"


@pytest.fixture
def watched(name):
    with watching(name) as watched:
        wait_for(lambda: watched.seen.save_raw is True)
        yield watched


def lose_trust(watched, frames, newest=9, **more):
    watched.pipeline.show(
        may_drop_raw=0, reason="The disk is full.", unsafe=frames, newest=newest, **more
    )


def test_raw_data_are_not_saved_while_all_is_well(camera, watched):
    watched.balor.write(False)
    assert not camera.SaveRaw
    assert watched.kept[-1].drop == Drop(12, "m", "p", 10), "written down before it is false"
    for _ in range(10):
        watched.look()
    assert not camera.SaveRaw
    assert watched.pipeline.closely
    assert watched.seen == Seen(save_raw=False)
    watched.balor.write(True)
    wait_for(lambda: not watched.pipeline.closely)
    assert camera.SaveRaw
    assert watched.kept[-1] == RawData()


def test_a_refused_write_leaves_the_camera_alone(camera, watched):
    watched.pipeline.show(may_drop_raw=0, reason="Two photons.")
    with pytest.raises(NotTrusted, match=r"SaveRaw stays true: Two photons\."):
        watched.balor.write(False)
    assert camera.SaveRaw
    assert watched.kept == []
    wait_for(lambda: not watched.pipeline.closely)


def test_a_client_waits_until_each_part_has_shown_life(camera, watched):
    watched.pipeline.show(silent="no sign of life of worker w1.")
    with pytest.raises(NotTrusted, match="worker w1"):
        watched.balor.write(False)
    assert camera.SaveRaw


def test_the_alarm_follows_the_frames_until_it_is_acknowledged(camera, watched):
    watched.balor.write(False)
    lose_trust(watched, "10-12", newest=12)
    wait_for(lambda: camera.SaveRaw)
    wait_for(lambda: watched.seen.unsafe_frames == "scan 12: 10-")
    assert "The disk is full." in watched.seen.alarm
    lose_trust(watched, "10-70", newest=80, series_ended=1)
    wait_for(lambda: "Frames 10-70 of scan 12 have neither" in watched.seen.alarm)
    lose_trust(watched, "1", mapping="next")
    watched.balor.write(True)
    watched.look()
    assert watched.seen.unsafe_frames == "scan 12: 10-70", "writing acknowledges nothing"
    watched.balor.acknowledge()
    wait_for(lambda: not watched.seen.alarm)
    assert watched.seen.unsafe_frames == ""
    assert watched.kept[-1].losses == ()


def test_frames_are_named_when_the_camera_refuses_to_save_again(camera, watched):
    watched.balor.write(False)
    camera.Mood = "refuse"
    lose_trust(watched, "10-12", newest=12, series_ended=1)
    wait_for(lambda: "Frames 10-12 of scan 12 have neither" in watched.seen.alarm)
    wait_for(lambda: "The camera is busy." in watched.seen.alarm)
    assert "has not taken SaveRaw = true yet" in watched.seen.alarm
    with pytest.raises(NoBalor, match="The camera is busy"):
        watched.balor.write(True)
    camera.Mood = ""
    wait_for(lambda: camera.SaveRaw)
    wait_for(lambda: "has not taken" not in watched.seen.alarm)
    assert watched.seen.unsafe_frames == "scan 12: 10-12"


def test_a_camera_that_refuses_false_is_not_dropped(camera, watched):
    camera.Mood = "refuse"
    with pytest.raises(NoBalor, match="The camera is busy"):
        watched.balor.write(False)
    watched.look()
    assert watched.balor.state.drop is None
    assert camera.SaveRaw


def test_an_invalid_save_raw_is_not_false(camera, watched):
    camera.Mood = "invalid"
    wait_for(lambda: "no valid value" in watched.seen.note)
    watched.look()
    assert watched.seen.save_raw is None
    assert not watched.seen.alarm


@pytest.mark.parametrize("sign", ["away", "silent"])
def test_a_pipeline_that_does_not_live_is_raw_data_saved_again(camera, watched, sign):
    watched.balor.write(False)
    watched.look()
    watched.pipeline.show(**{sign: "it hangs."})
    wait_for(lambda: camera.SaveRaw)
    wait_for(lambda: "it hangs." in watched.seen.alarm)


def test_the_normal_end_is_raw_data_saved_again_without_alarm(camera, watched):
    watched.balor.write(False)
    watched.pipeline.show(newest=99, waiting="99", series_ended=1)
    wait_for(lambda: camera.SaveRaw)
    watched.pipeline.show(newest=99, series_ended=1, complete=1)
    wait_for(lambda: watched.balor.state == RawData())
    watched.look()
    assert watched.seen == Seen(save_raw=True)


def test_the_watch_survives_what_nobody_thought_of(camera, watched, caplog):
    watched.balor.write(False)
    watched.pipeline.signs = None
    wait_for(lambda: "AssertionError" in watched.seen.alarm)
    assert camera.SaveRaw, "who cannot judge saves raw data"
    assert watched.seen.save_raw is None
    assert "SaveRaw could not be watched" in caplog.text
    watched.pipeline.show()
    wait_for(lambda: watched.seen.save_raw is True)
    watched.balor.acknowledge()
    wait_for(lambda: not watched.seen.alarm)
    watched.balor.write(False)
    assert not camera.SaveRaw
    lose_trust(watched, "10-12")
    wait_for(lambda: camera.SaveRaw)


def test_another_client_cannot_switch_it_off_behind_our_back(camera, watched):
    camera.SaveRaw = False
    wait_for(lambda: camera.SaveRaw)
    wait_for(lambda: watched.seen.unsafe_frames == "scan 12: 10-")
    assert "another client" in watched.seen.alarm


def test_another_client_may_switch_it_on(camera, watched):
    watched.balor.write(False)
    camera.SaveRaw = True
    wait_for(lambda: watched.seen.save_raw is True)
    wait_for(lambda: watched.balor.state.drop is None)
    watched.look()
    assert not watched.seen.alarm


def test_a_balor_that_is_off_is_a_note():
    with watching(NOWHERE) as watched:
        wait_for(lambda: "is BalorDevice right" in watched.seen.note)
        assert not watched.seen.alarm
        assert watched.seen.save_raw is None


def test_a_balor_that_went_away_without_saving_raw_data_is_an_alarm(camera, watched):
    watched.balor.write(False)
    watched.look()
    camera.Mood = "invalid"
    wait_for(lambda: "SaveRaw was false when it was seen last" in watched.seen.alarm)
    assert not watched.seen.note
    camera.Mood = ""
    wait_for(lambda: not watched.seen.alarm)


def test_an_orderly_end_saves_raw_data_and_names_the_frames(camera, name):
    with watching(name) as watched:
        watched.balor.write(False)
        watched.pipeline.show(newest=50, waiting="49-50")
        watched.balor.close()
        assert camera.SaveRaw
        (left,) = watched.kept[-1:]
        assert left.unsafe_frames == "scan 12: 49-"
        assert "ended or initialised" in left.losses[0].reason
        with pytest.raises(NotTrusted, match="being ended"):
            watched.balor.write(False)
    with watching(name, left) as again:
        wait_for(lambda: again.seen.unsafe_frames == "scan 12: 10-")
        again.pipeline.show(newest=99, series_ended=1, complete=1)
        wait_for(lambda: "No frame of scan 12 is lost" in again.seen.alarm)


def test_a_kill_is_noticed_by_the_next_life(camera, name):
    camera.SaveRaw = False
    killed = RawData(drop=Drop(12, "m", "p", 10), off=True)
    with watching(name, killed) as watched:
        wait_for(lambda: camera.SaveRaw)
        wait_for(lambda: "was killed" in watched.seen.alarm)
        wait_for(lambda: watched.seen.unsafe_frames == "scan 12: 10-")


def test_what_was_false_before_the_first_look_is_not_trusted(camera, name):
    camera.SaveRaw = False
    with watching(name) as watched:
        watched.scan = Scan()
        wait_for(lambda: camera.SaveRaw)
        wait_for(lambda: "began to watch" in watched.seen.alarm)
