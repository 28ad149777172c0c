"""Parameters of the earlier pipeline, under the names and with the meanings of today."""

import json

import pytest

from pipeline.model.old_parameters import (
    OLD_PARAMETERS,
    photon_roi_in,
    translate,
    with_new_names,
)
from pipeline.model.parameter import ParameterError
from pipeline.model.parameters import PARAMETERS, Settings

SETTINGS = Settings().replaced("background", 90.0)


@pytest.mark.parametrize(
    ("old", "data", "new", "value"),
    [
        ("integrate", b"True", "accumulate", True),
        ("cmos_background", b"95", "background", 95.0),
        ("threshold_counting", b"210", "photon_threshold", 120.0),
        ("pre_threshold", b"1000.0", "view_threshold", 1000.0),
        ("pileup", b"1500", "pileup_threshold", 1500.0),
    ],
)
def test_each_old_name_has_a_new_one(old, data, new, value):
    assert translate(old, data, SETTINGS) == (new, value)


def test_every_row_leads_to_a_parameter_and_hides_none():
    for old, row in OLD_PARAMETERS.items():
        assert row.new in PARAMETERS
        assert old not in PARAMETERS


@pytest.mark.parametrize(("old", "data"), [("threshold_counting", b"20"), ("integrate", b"maybe")])
def test_a_value_that_cannot_be_used_names_both(old, data):
    with pytest.raises(ParameterError, match=rf"{old} \(now {OLD_PARAMETERS[old].new}\)"):
        translate(old, data, SETTINGS)


def test_a_roi_named_photon_is_where_photons_are_searched():
    place = {"x": 1, "y": 2, "width": 3, "height": 4}
    roi = json.dumps({"photon": place, "a": place})
    assert photon_roi_in(roi) == PARAMETERS["photon_roi"].check(
        '{"x": 1, "y": 2, "width": 3, "height": 4}'
    )
    assert photon_roi_in("{}") is None


def test_a_file_of_parameters_of_before():
    given = {
        "threshold_counting": b"210",
        "cmos_background": b"90",
        "pileup": b"1",
        "pileup_threshold": b"1300",
        "rois": b'{"photon": {"x": 1, "y": 2, "width": 3, "height": 4}}',
    }
    new = with_new_names(given)
    assert PARAMETERS["photon_threshold"].decode(new["photon_threshold"]) == 120.0
    assert new["pileup_threshold"] == b"1300", "the name of today wins"
    assert "photon_roi" in new
    assert not set(new) & set(OLD_PARAMETERS)
