import pytest

from femtotango.errors import NotTrusted
from femtotango.observer import Observation
from femtotango.save_raw import check_switch_off, compare_header, watch


def results(error=None, **photons):
    return Observation(snapshot={f"photons/{k}": v for k, v in photons.items()}, error=error)


TRUSTED = results(may_drop_raw=1, reason="", save_raw=0)
LOST = results(may_drop_raw=0, reason="Two photons.", untrusted_frames="7-9", save_raw=0)


def test_raw_data_may_be_dropped_while_photons_are_trusted():
    check_switch_off(TRUSTED)
    assert not watch(False, TRUSTED).take_back


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (LOST, "Two photons."),
        (results(), "set PhotonRoi and take a scan"),
        (results(error="No reducer.", may_drop_raw=1), "No reducer."),
    ],
)
def test_otherwise_switching_off_is_refused_with_the_reason(now, said):
    with pytest.raises(NotTrusted, match=said) as raised:
        check_switch_off(now)
    assert raised.value.reason == "Femtomax_NotTrusted"


def test_lost_trust_takes_raw_saving_back_and_names_the_frames():
    interlock = watch(False, LOST)
    assert interlock.take_back
    assert "Frames 7-9 have neither raw data nor trusted photons" in interlock.alarm
    assert "Two photons." in interlock.alarm


def test_results_that_cannot_be_read_are_no_trust():
    assert watch(False, results(error="No reducer.", may_drop_raw=1)).take_back


@pytest.mark.parametrize("save_raw", [True, None])
def test_nothing_is_taken_back_while_raw_data_are_saved(save_raw):
    assert watch(save_raw, LOST) == watch(True, TRUSTED)


def test_the_header_is_compared():
    assert "header says that raw data are not saved" in compare_header(None, LOST)
    assert "next series" in compare_header(True, TRUSTED)
    assert compare_header(False, TRUSTED) == ""
    assert compare_header(True, results(may_drop_raw=0, save_raw=1)) == ""
    assert compare_header(True, results(may_drop_raw=0)) == ""
