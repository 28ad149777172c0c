from dataclasses import replace

import pytest

from femtotango.component.results_poller import Observation
from femtotango.component.save_raw_interlock import (
    PATIENCE,
    add,
    alarm,
    check_switch_off,
    compare_header,
    name_frames,
    saved_again,
    watch,
)
from femtotango.component.scan_progress import Scan
from femtotango.component.state import Pipeline, View
from femtotango.dranspose_client.services import Config, Service
from femtotango.errors import NotTrusted
from pipeline.protocols import snapshot
from pipeline.protocols.snapshot import NOTHING

SERVICE = Service("worker", "w1", "u", "h", "m")
CONFIG = Config((SERVICE,), (SERVICE,), SERVICE, "h", {})
AT_WORK = Pipeline(config=CONFIG, error=None)


def seen(error=None, mapping="m", ended=0, **photons):
    """Return the view of a series under way."""
    published = replace(
        NOTHING,
        scan=snapshot.Scan(mapping=mapping, ended=ended),
        photons=snapshot.Photons(**photons),
    )
    return View(
        results=Observation(published, error=error),
        pipeline=AT_WORK,
        scan=Scan(mapping=mapping, done=False),
    )


def distrusted(frames, mapping="m"):
    return seen(
        mapping=mapping, may_drop_raw=0, reason="Two photons.", untrusted_frames=frames, save_raw=0
    )


def lost(view, away=0.0):
    """Return the loss that is found while raw data are not saved."""
    loss = watch(False, view, away)
    assert loss is not None
    return loss


TRUSTED = seen(may_drop_raw=1, reason="", save_raw=0)
LOST = distrusted("7-9")
NO_WORKER = replace(AT_WORK, config=replace(CONFIG, workers=()))
DEAD = [
    (replace(TRUSTED, results=replace(TRUSTED.results, error="No reducer.")), "No reducer."),
    (replace(TRUSTED, pipeline=replace(AT_WORK, error="No controller.")), "No controller."),
    (replace(TRUSTED, pipeline=NO_WORKER), "no worker"),
    (replace(TRUSTED, configuration_errors=("Bad URL.",)), "Bad URL."),
]


def test_raw_data_may_be_dropped_while_photons_are_trusted():
    check_switch_off(TRUSTED)
    assert watch(False, TRUSTED, 0.0) is None


@pytest.mark.parametrize(
    ("now", "said"), [(LOST, "Two photons."), (seen(), "set PhotonRoi and take a scan"), *DEAD]
)
def test_otherwise_switching_off_is_refused_with_the_reason(now, said):
    with pytest.raises(NotTrusted, match=said) as raised:
        check_switch_off(now)
    assert raised.value.reason == "Femtomax_NotTrusted"


def test_a_pipeline_that_is_away_is_named_as_such():
    with pytest.raises(NotTrusted, match=r"The pipeline cannot be reached: No controller\."):
        check_switch_off(DEAD[1][0])


@pytest.mark.parametrize(("now", "said"), DEAD)
def test_a_dead_pipeline_is_trust_lost_once_it_has_had_its_time(now, said):
    assert watch(False, now, PATIENCE / 2) is None
    loss = lost(now, away=PATIENCE)
    assert said in loss.reason
    assert "Frames since then may have neither raw data" in loss.text


def test_lost_trust_takes_raw_saving_back_and_names_the_frames():
    loss = lost(LOST)
    said = alarm((loss,))
    assert "SaveRaw is being switched on again" in said
    assert "Frames 7-9 have neither raw data nor trusted photons" in said
    assert "Two photons." in said
    assert said.endswith("Write SaveRaw to acknowledge.")
    assert "SaveRaw was switched on again" in alarm(saved_again((loss,)))


def test_no_loss_is_no_alarm():
    assert alarm(()) == ""


def test_frames_are_named_anew_as_long_as_the_scan_goes_on():
    losses = add((), lost(LOST))
    losses = name_frames(losses, distrusted("7-70").results)
    assert "Frames 7-70 have" in alarm(losses)
    unknown = name_frames(losses, seen().results)
    assert "Frames 7-70 have" in alarm(unknown), "what was named stays named"
    other = name_frames(losses, distrusted("1-2", mapping="next").results)
    assert "Frames 7-70 have" in alarm(other)
    assert "1-2" not in alarm(other)


def test_the_scan_is_named():
    published = replace(LOST.snapshot, scan=replace(LOST.snapshot.scan, number=5))
    loss = lost(replace(LOST, results=replace(LOST.results, snapshot=published)))
    assert "Frames 7-9 of scan 5 have" in loss.text


def test_a_camera_that_refuses_has_one_loss_a_scan():
    losses = ()
    for view in (LOST, LOST, distrusted("1-2", mapping="next")):
        losses = add(losses, lost(view))
    assert [loss.frames for loss in losses] == ["7-9", "1-2"]
    again = add(saved_again(losses), lost(LOST))
    assert [loss.saved_again for loss in again] == [False, True]


@pytest.mark.parametrize("save_raw", [True, None])
def test_nothing_is_taken_back_while_raw_data_are_saved(save_raw):
    assert watch(save_raw, LOST, 0.0) is None


def test_the_header_is_compared():
    assert "header says that raw data of this series are not saved" in compare_header(None, LOST)
    assert "Switch the camera's SaveRaw on" in compare_header(False, LOST)
    assert "next series" in compare_header(True, TRUSTED)
    assert compare_header(False, TRUSTED) == ""
    assert compare_header(True, seen(may_drop_raw=0, save_raw=1)) == ""
    assert compare_header(True, seen(may_drop_raw=0)) == ""


def test_save_raw_that_is_on_already_need_not_be_switched_on():
    said = compare_header(True, LOST)
    assert "not trusted" in said
    assert "Switch" not in said


@pytest.mark.parametrize("view", [TRUSTED, LOST])
def test_only_the_header_of_the_series_under_way_is_compared(view):
    ended = replace(view.snapshot, scan=replace(view.snapshot.scan, ended=1))
    assert compare_header(True, replace(view, results=Observation(ended, error=None))) == ""
    assert compare_header(True, replace(view, scan=Scan(mapping="prepared"))) == ""
    assert compare_header(True, replace(view, scan=replace(view.scan, stopped=True))) == ""
