"""Requests for one camera's image, and what cannot be read."""

import pytest

from femtotango.component.camera_request import FILE, REGION, RING, file_of, region_of, ring_of
from femtotango.errors import BadRequest


def test_the_examples_are_read():
    assert region_of(REGION) == ("pilatus", [0, 0, 64, 48, 1])
    assert ring_of(RING) == ("pilatus", 1.5)
    assert file_of(FILE) == ("pilatus", "image.h5")


def test_without_numbers_the_whole_image_of_the_shown_camera_is_meant():
    camera, (x, y, width, height, binning) = region_of("{}")
    assert (camera, x, y, binning) == ("", 0, 0, 1)
    assert min(width, height) > 8192


@pytest.mark.parametrize(
    ("read", "text", "said"),
    [
        (region_of, "{", "not JSON"),
        (region_of, "[1, 2]", "Expected an object"),
        (region_of, '{"camera": "eiger"}', "'eiger': no camera"),
        (region_of, '{"camera": 5}', "no camera has that stream"),
        (region_of, '{"camera": ["pilatus"]}', "pilatus"),
        (region_of, '{"size": 5}', "'size' is not known"),
        (region_of, '{"x": 1.5}', "x = 1.5: expected whole pixels"),
        (region_of, '{"width": true}', "width = True"),
        (region_of, f'{{"x": {10**30}}}', "x = 1000"),
        (ring_of, '{"camera": "pilatus"}', "q = None"),
        (ring_of, '{"q": "1"}', "q = 1: expected a number"),
        (file_of, '{"path": 1}', "path = 1: expected a text"),
    ],
)
def test_what_cannot_be_read_is_named(read, text, said):
    with pytest.raises(BadRequest, match=said):
        read(text)
