import json

import pytest

from femtotango.component.roi_commands import add_roi, remove_roi
from femtotango.errors import BadRoi

BOX = {"x": 1, "y": 2, "width": 3, "height": 4}


def test_a_roi_is_added_behind_the_others():
    one = add_roi("{}", json.dumps({"name": "a", **BOX}))
    two = json.loads(add_roi(one, json.dumps({"name": "b", **BOX, "x": 9.6})))
    assert list(two) == ["a", "b"]
    assert two["a"] == BOX
    assert two["b"]["x"] == 10


def test_one_of_that_name_is_replaced_in_its_place():
    rois = json.dumps({"a": BOX, "b": BOX})
    changed = json.loads(add_roi(rois, json.dumps({"name": "a", **BOX, "y": 7})))
    assert list(changed) == ["a", "b"]
    assert changed["a"]["y"] == 7


def test_a_roi_is_of_the_camera_that_it_names_else_of_the_one_that_is_shown():
    text = json.dumps({"name": "a", **BOX})
    named = json.dumps({"name": "a", **BOX, "camera": "pilatus"})
    assert json.loads(add_roi("{}", text, "andor3_zyla12"))["a"]["camera"] == "andor3_zyla12"
    assert json.loads(add_roi("{}", named, "andor3_zyla12"))["a"]["camera"] == "pilatus"
    with pytest.raises(BadRoi, match="eiger"):
        add_roi("{}", json.dumps({"name": "a", **BOX, "camera": "eiger"}))


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        json.dumps(BOX),
        '{"name": "a"}',
        json.dumps({"name": 'a"b', **BOX}),
        f'{{"name": "a", "x": {"9" * 5000}}}',
        json.dumps({"name": "a", **BOX, "x": 10**4000}),
    ],
)
def test_what_is_no_roi_is_refused(text):
    with pytest.raises(BadRoi):
        add_roi("{}", text)


def test_a_hundred_and_first_roi_is_refused():
    rois = json.dumps({str(i): BOX for i in range(100)})
    with pytest.raises(BadRoi, match="100 ROIs already"):
        add_roi(rois, json.dumps({"name": "one more", **BOX}))
    assert len(json.loads(add_roi(rois, json.dumps({"name": "7", **BOX})))) == 100


def test_removing_names_what_there_is():
    assert json.loads(remove_roi(json.dumps({"a": BOX, "b": BOX}), "a")) == {"b": BOX}
    with pytest.raises(BadRoi, match="no ROI 'z'; there are a"):
        remove_roi(json.dumps({"a": BOX}), "z")
