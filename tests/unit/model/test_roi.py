import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.roi import (
    Roi,
    RoiError,
    check_name,
    format_photon_roi,
    format_rois,
    parse_photon_roi,
    parse_rois,
)

NUMBERS = st.integers(-3000, 3000)
SIZES = st.integers(1, 3000)
ROIS = st.builds(Roi, NUMBERS, NUMBERS, SIZES, SIZES)
NAMES = st.text("abcäß_ -.0", min_size=1, max_size=32).filter(lambda n: n not in (".", ".."))


@given(st.dictionaries(NAMES, ROIS, max_size=20))
def test_rois_survive_their_json(rois: dict[str, Roi]) -> None:
    rois = {name: roi for name, roi in rois.items() if not name.endswith("_attrs")}
    assert parse_rois(format_rois(rois)) == rois


@given(ROIS, st.integers(1, 50), st.integers(1, 50))
def test_slices_are_the_pixels_inside(roi: Roi, ny: int, nx: int) -> None:
    y, x = np.mgrid[:ny, :nx]
    inside = (y >= roi.y) & (y < roi.y + roi.height) & (x >= roi.x) & (x < roi.x + roi.width)
    part = roi.slices((ny, nx))
    if part is None:
        assert not inside.any()
    else:
        drawn = np.zeros((ny, nx), bool)
        drawn[part] = True
        np.testing.assert_array_equal(drawn, inside)


def test_floats_are_rounded_to_whole_pixels_and_sizes_to_at_least_one() -> None:
    text = '{"a": {"x": 1.5, "y": -0.5, "width": 0.2, "height": 2.4}}'
    assert parse_rois(text) == {"a": Roi(2, 0, 1, 2)}


def test_the_handles_of_existing_viewers_are_read() -> None:
    handles = {"_handleBottomLeft": [30.2, 10.9], "_handleTopRight": [10.1, 40.7]}
    text = json.dumps({"ROI 1": {"handles": handles, "color": "red"}})
    assert parse_rois(text) == {"ROI 1": Roi(10, 11, 20, 30)}


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{",
        '{"a": 3}',
        '{"a": {"x": 1, "y": 2, "width": 3}}',
        '{"a": {"x": 1, "y": 2, "width": 3, "height": "4"}}',
        '{"a": {"x": 1, "y": 2, "width": 3, "height": -4}}',
        '{"a": {"x": NaN, "y": 2, "width": 3, "height": 4}}',
        '{"a": {"x": 1e9, "y": 2, "width": 3, "height": 4}}',
        '{"a/b": {"x": 1, "y": 2, "width": 3, "height": 4}}',
        '{"a": {"x":1,"y":2,"width":3,"height":4}, "a": {"x":1,"y":2,"width":3,"height":5}}',
        '{"a": {"handles": {"_handleBottomLeft": [1]}}}',
        f'{{"a": {{"x": {"9" * 5000}, "y": 2, "width": 3, "height": 4}}}}',
        '{"a": {"handles": {"_handleBottomLeft": [%s, 1], "_handleTopRight": [2, 2]}}}'
        % ("9" * 400),
    ],
)
def test_what_is_no_roi_is_refused(text: str) -> None:
    with pytest.raises(RoiError):
        parse_rois(text)


def test_more_than_a_hundred_are_refused() -> None:
    roi = Roi(0, 0, 1, 1)
    assert len(parse_rois(format_rois({str(i): roi for i in range(100)}))) == 100
    with pytest.raises(RoiError, match="101"):
        parse_rois(format_rois({str(i): roi for i in range(101)}))


@pytest.mark.parametrize("name", ["", "x" * 33, 'a"b', "a\\b", "a/b", "a\nb", "peak_attrs", ".."])
def test_names_that_some_part_cannot_carry_are_refused(name: str) -> None:
    with pytest.raises(RoiError):
        check_name(name)


@pytest.mark.parametrize("text", ["", "  ", "{}", "null"])
def test_no_photon_roi_means_photon_detection_off(text: str) -> None:
    assert parse_photon_roi(text) is None
    assert format_photon_roi(None) == ""


def test_a_roi_keeps_the_camera_whose_it_is() -> None:
    text = '{"a": {"x": 1, "y": 2, "width": 3, "height": 4, "camera": "andor3_zyla12"}}'
    assert parse_rois(text)["a"] == Roi(1, 2, 3, 4, "andor3_zyla12")
    assert format_rois(parse_rois(text)) == text
    handles = '{"a": {"handles": {"_handleBottomLeft": [1, 2], "_handleTopRight": [4, 6]}, %s}}'
    assert parse_rois(handles % '"camera": "pilatus"')["a"] == Roi(1, 2, 3, 4, "pilatus")


@pytest.mark.parametrize("camera", ['"eiger"', "7", '["pilatus"]'])
def test_a_roi_of_an_unknown_camera_is_refused(camera: str) -> None:
    with pytest.raises(RoiError, match="camera"):
        parse_rois(f'{{"a": {{"x": 1, "y": 2, "width": 3, "height": 4, "camera": {camera}}}}}')


def test_the_photon_roi_names_no_camera() -> None:
    text = '{"x": 1, "y": 2, "width": 3, "height": 4, "camera": "andor3_balor"}'
    assert parse_photon_roi(text) == Roi(1, 2, 3, 4)


def compared(**references: dict[str, str]) -> str:
    place = {"x": 1, "y": 2, "width": 3, "height": 4}
    return json.dumps({name: {**place, **more} for name, more in references.items()})


def test_what_a_roi_is_compared_with_is_kept() -> None:
    text = compared(a={"minus": "b", "over": "c"}, b={}, c={}, d={"over": "column:I0"})
    rois = parse_rois(text)
    assert (rois["a"].minus, rois["a"].over) == ("b", "c")
    assert rois["d"].over == "column:I0"
    assert parse_rois(format_rois(rois)) == rois
    assert json.loads(format_rois(rois)) == json.loads(text)


@pytest.mark.parametrize(
    ("references", "why"),
    [
        ({"a": {"minus": "b"}}, "no such ROI"),
        ({"a": {"over": "a"}}, "the ROI itself"),
        ({"a": {"minus": "b"}, "b": {"over": "c"}, "c": {}}, "has a minus or over itself"),
        ({"a": {"minus": "b"}, "b": {"minus": "a"}}, "has a minus or over itself"),
        ({"a": {"minus": "column:I0"}}, "only a ROI can be subtracted"),
        ({"a": {"over": "column:"}}, "give column:NAME"),
        ({"a": {"over": 3}}, "is no text"),
        ({"a": {"minus": "x/y"}}, "slash"),
    ],
)
def test_a_comparison_that_cannot_be_made_is_refused(references: dict, why: str) -> None:
    with pytest.raises(RoiError, match=why):
        parse_rois(compared(**references))
