"""The interlock on the Balor's raw data, one transition at a time."""

from dataclasses import replace

import pytest

from femtotango.component.raw_data import Drop, Loss, RawData, Signs
from femtotango.component.save_raw_interlock import (
    ENDED,
    acknowledge,
    alarm,
    allow,
    compare_header,
    follow,
    found_false,
    lose,
    switched_on,
    unsaved_series,
    why_not,
)
from femtotango.component.scan_progress import Scan
from femtotango.dranspose_client.services import Progress
from femtotango.errors import NotTrusted
from pipeline.protocols.packed_datasets import FrameSafety

SCAN = Scan(number=12, mapping="m", frames=100, cameras=("andor3_balor",), done=False)
GOOD = FrameSafety(process="p", mapping="m", filename="f", may_drop_raw=1, newest=9)
NOTHING = RawData()


def signs(safety=GOOD, asked=1.0, **more):
    return Signs(safety, asked, **more)


def told(**changes):
    return signs(replace(GOOD, **changes))


DROPPING = allow(NOTHING, signs(), SCAN)


def events(done, total=102, finished=False):
    return replace(SCAN, progress=Progress(done, done, total, finished))


# Permission


def test_raw_data_may_be_dropped_while_the_reducer_says_so_of_this_very_scan():
    assert why_not(signs(), SCAN) == ""
    assert DROPPING.drop == Drop(12, "m", "p", first=10)
    assert not DROPPING.must_save
    assert DROPPING.off


CONTINUOUS = replace(SCAN, continuous=True, frames=None)


def test_continuous_mode_is_such_a_scan_too():
    assert why_not(signs(), CONTINUOUS) == ""


REFUSED = [
    (signs(), replace(SCAN, done=True), "call PrepareScan or StartContinuous"),
    (signs(), replace(SCAN, stopped=True), "no prepared or continuous scan"),
    (signs(), replace(SCAN, cameras=()), "no prepared or continuous scan"),
    (signs(), replace(SCAN, cameras=("pilatus",)), "no prepared or continuous scan"),
    (signs(), Scan(), "no prepared or continuous scan"),
    (Signs(away="the reducer is away."), SCAN, "the reducer is away"),
    (Signs(), SCAN, "not asked yet"),
    (signs(away="it hangs."), SCAN, "it hangs"),
    (signs(silent="no sign of life of worker w1."), SCAN, "worker w1"),
    (told(mapping="before"), SCAN, "header of scan 12 has not come yet: start the camera"),
    (told(mapping=""), SCAN, "header of scan 12 has not come yet"),
    (told(series_ended=1), SCAN, "has ended"),
    (told(may_drop_raw=0, reason="Two photons."), SCAN, "Two photons"),
    (told(may_drop_raw=0), SCAN, "the photons are not safe"),
]


@pytest.mark.parametrize(("now", "scan", "said"), REFUSED)
def test_otherwise_switching_off_is_refused_with_the_reason(now, scan, said):
    assert said in why_not(now, scan)
    with pytest.raises(NotTrusted, match=f"SaveRaw stays true: .*{said}") as raised:
        allow(NOTHING, now, scan)
    assert raised.value.reason == "Femtomax_NotTrusted"


# What ends it

ENDS = [
    (signs(away="the reducer hangs."), SCAN, "the reducer hangs"),
    (signs(silent="no sign of life of worker w1."), SCAN, "worker w1"),
    (told(process="q"), SCAN, "the reducer was started anew"),
    (told(mapping="n"), SCAN, "another series"),
    (told(may_drop_raw=0, reason="The disk is full."), SCAN, "The disk is full"),
    (signs(), replace(SCAN, mapping="n", cameras=()), "scan 12 was cut off"),
    (signs(), replace(SCAN, stopped=True), "scan 12 was stopped"),
    (signs(), replace(SCAN, stopped=True, done=True), "scan 12 was stopped"),
    (signs(), events(50, finished=True), "ended at the controller"),
]


@pytest.mark.parametrize(("now", "scan", "said"), ENDS)
def test_what_must_hold_ends_and_raw_data_are_saved_with_an_alarm(now, scan, said):
    state = follow(DROPPING, now, scan, 2.0)
    assert state.must_save
    assert state.drop is None
    assert said in alarm(state)
    assert state.unsafe_frames == "scan 12: 10-"
    assert "Frames 10 and all later ones of scan 12 have neither raw data nor" in alarm(state)
    assert alarm(state).endswith("Call AcknowledgeLoss when you have noted that.")


def test_nothing_ends_while_all_is_well():
    assert follow(DROPPING, told(newest=50, waiting="48-50"), events(51), 2.0) == DROPPING
    assert alarm(DROPPING) == ""


def test_a_normal_end_is_no_loss():
    state = follow(DROPPING, told(newest=99, waiting="98-99", series_ended=1), SCAN, 2.0)
    assert state.must_save, "the camera sends no more: nothing is gained by waiting"
    assert state.drop is not None
    done = replace(SCAN, done=True, mapping="the next", number=13)
    state = follow(state, told(newest=99, series_ended=1, waiting="99"), done, 2.1)
    assert state.drop is not None
    state = follow(state, told(newest=99, series_ended=1, complete=1), done, 2.2)
    assert replace(state, off=False) == NOTHING


def test_photons_that_never_become_durable_are_a_loss_behind_a_normal_end_too():
    state = follow(DROPPING, told(newest=99, waiting="98-99", series_ended=1), SCAN, 2.0)
    dead = signs(replace(GOOD, newest=99, waiting="98-99", series_ended=1), away="it is dead.")
    state = follow(state, dead, SCAN, 4.0)
    assert state.unsafe_frames == "scan 12: 98-99"


def test_a_silent_worker_costs_nothing_when_all_its_frames_are_in():
    state = follow(DROPPING, told(newest=99, waiting="99", series_ended=1), SCAN, 2.0)
    late = signs(
        replace(GOOD, newest=99, waiting="99", series_ended=1), silent="no sign of life of w1."
    )
    assert follow(state, late, SCAN, 2.1).losses == ()


def test_more_frames_than_announced_are_a_loss_once_the_reducer_had_its_chance():
    over = events(102)
    state = follow(DROPPING, signs(replace(GOOD, newest=99), asked=1.9), over, 2.0)
    assert state.losses == (), "the answer may be older than the last event"
    state = follow(state, signs(replace(GOOD, newest=99), asked=2.1), over, 2.2)
    assert state.unsafe_frames == "scan 12: 100-"
    assert "announced" in alarm(state)


def test_a_client_who_saves_raw_data_again_causes_no_alarm():
    state = switched_on(DROPPING, told(newest=50))
    assert state.must_save
    assert not state.off
    waits = follow(state, told(newest=60, waiting="50-60"), SCAN, 2.0)
    assert waits == state
    assert follow(waits, told(newest=61, waiting="51-61"), SCAN, 2.1) == NOTHING
    lost = follow(waits, signs(replace(GOOD, newest=60, waiting="50-60"), away="dead."), SCAN, 2.1)
    assert lost.unsafe_frames == "scan 12: 50-"


def test_a_client_may_change_its_mind():
    again = allow(switched_on(DROPPING, told(newest=50)), told(newest=55), SCAN)
    assert not again.must_save
    assert again.drop == DROPPING.drop, "all frames since the first permission may lack raw data"


# Losses

STOPPED = follow(DROPPING, told(newest=79, waiting="78-79"), replace(SCAN, stopped=True), 2.0)


def test_frames_are_named_anew_as_long_as_the_reducer_tells_of_the_series():
    assert STOPPED.unsafe_frames == "scan 12: 78-"
    later = follow(STOPPED, told(newest=79), SCAN, 3.0)
    assert later.unsafe_frames == "scan 12: 80-"
    ended = follow(later, told(newest=99, unsafe="85", series_ended=1), SCAN, 4.0)
    assert ended.unsafe_frames == "scan 12: 85"
    assert follow(ended, told(newest=99, unsafe="1-99"), SCAN, 5.0) == ended, "that was final"


@pytest.mark.parametrize("other", [told(mapping="n"), told(process="q"), Signs()])
def test_what_was_named_stays_when_nobody_tells_of_it_any_more(other):
    assert follow(STOPPED, other, SCAN, 3.0) == STOPPED


def test_a_loss_that_cost_no_frame_is_still_an_alarm():
    state = follow(STOPPED, told(newest=99, series_ended=1, complete=1), SCAN, 3.0)
    assert state.unsafe_frames == ""
    assert "No frame of scan 12 is lost by it" in alarm(state)


def test_a_series_has_one_loss_and_its_first_reason_stays():
    again = allow(STOPPED, told(newest=90), SCAN)
    state = follow(again, told(newest=95, may_drop_raw=0, reason="Full."), SCAN, 3.0)
    (loss,) = state.losses
    assert (loss.first, loss.frames) == (10, "96-")
    assert "was stopped" in loss.reason
    other = replace(SCAN, number=13, mapping="n")
    dropping = allow(state, told(mapping="n", newest=3), other)
    state = follow(dropping, told(mapping="n", newest=9, unsafe="4-6, 9"), other, 4.0)
    state = lose(state, ENDED, told(mapping="n", newest=9, unsafe="4-6, 9", series_ended=1).safety)
    assert state.unsafe_frames == "scan 12: 96-; scan 13: 4-6, 9"


def test_acknowledging_forgets_and_writing_does_not():
    assert switched_on(STOPPED, signs()).losses == STOPPED.losses
    state = acknowledge(replace(STOPPED, off=False), signs())
    assert alarm(state) == state.unsafe_frames == ""


def test_a_camera_that_refuses_is_said():
    assert "has not taken SaveRaw = true yet" in alarm(STOPPED)
    assert "has not taken" not in alarm(replace(STOPPED, off=False))


# SaveRaw that nobody has permitted to be false


def test_a_camera_that_is_false_at_the_start_is_an_alarm():
    state = found_false(NOTHING, Signs(), Scan(), None)
    assert state.must_save
    assert "when the device began to watch" in alarm(state)
    assert "Frames of that time may have neither" in alarm(state)
    assert found_false(state, Signs(), Scan(), None) == state, "it is found once"


def test_a_running_scan_is_named_even_before_the_reducer_was_asked():
    state = found_false(NOTHING, Signs(), SCAN, None)
    assert state.unsafe_frames == "scan 12: 0-"
    state = follow(state, told(newest=30, waiting="30"), SCAN, 2.0)
    assert state.unsafe_frames == "scan 12: 30-"


def test_another_client_that_switches_it_off_costs_frames_since_it_was_seen_true():
    state = found_false(NOTHING, told(newest=30, unsafe="0-30"), SCAN, ("m", 24))
    assert state.unsafe_frames == "scan 12: 25-"
    assert "another client" in alarm(state)


def test_a_series_whose_header_says_that_it_is_not_saved_is_a_loss_where_photons_are_missing():
    header = told(save_raw=0, newest=9)
    assert unsaved_series(NOTHING, header, SCAN) == NOTHING, "all photons are safe"
    header = told(save_raw=0, newest=9, unsafe="3", may_drop_raw=0)
    state = unsaved_series(NOTHING, header, SCAN)
    assert state.unsafe_frames == "scan 12: 3, 10-"
    assert unsaved_series(state, header, SCAN) == state
    gone = acknowledge(state, header)
    assert unsaved_series(gone, header, SCAN) == gone
    assert unsaved_series(DROPPING, header, SCAN) == DROPPING
    for scan in (replace(SCAN, done=True), replace(SCAN, mapping="n")):
        assert unsaved_series(NOTHING, header, scan) == NOTHING
    for saved in (None, 1):
        assert unsaved_series(NOTHING, told(save_raw=saved, unsafe="3"), SCAN) == NOTHING


def test_the_header_is_compared():
    bad = told(may_drop_raw=0, reason="Two photons.", save_raw=0)
    said = compare_header(None, NOTHING, bad, SCAN)
    assert "header says that raw data of this series are not saved" in said
    assert "Two photons." in said
    assert "Switch the camera's SaveRaw on" in compare_header(False, NOTHING, bad, SCAN)
    assert "Switch" not in compare_header(True, NOTHING, bad, SCAN)
    assert "next series" in compare_header(True, NOTHING, told(save_raw=0), SCAN)
    assert compare_header(False, DROPPING, told(save_raw=0), SCAN) == ""
    for saved in (None, 1):
        assert compare_header(True, NOTHING, told(may_drop_raw=0, save_raw=saved), SCAN) == ""


def test_only_the_header_of_the_series_under_way_is_compared():
    header = told(save_raw=0)
    for scan in (replace(SCAN, mapping="n"), replace(SCAN, stopped=True), replace(SCAN, done=True)):
        assert compare_header(True, NOTHING, header, scan) == ""
    assert compare_header(True, NOTHING, told(save_raw=0, series_ended=1), SCAN) == ""


def test_a_loss_without_scan_names_no_frames():
    assert RawData(losses=(Loss("why."),)).unsafe_frames == ""
