"""Records in events of their own: what a channel that waits for frames needs."""

import pytest

from femtotango.component.scan_request import parse_request
from femtotango.dranspose_client.trigger_maps import scan_map
from femtotango.errors import BadRequest


def events(steps: int, burst: int) -> list[tuple[bool, bool]]:
    """Return, event by event, whether a frame and whether a record is in it."""
    trigger_map = scan_map("pilatus", steps, burst, records=True, separate=True)
    found = []
    for name in trigger_map.sequence:
        part = trigger_map.parts[name]
        found += [
            (image is not None, record is not None)
            for image, record in zip(part["pilatus"], part["sardana"], strict=True)
        ]
    assert trigger_map.events == len(found) + 2
    return found


@pytest.mark.parametrize(("steps", "burst"), [(1, 1), (5, 6), (401, 3), (2, 2500)])
def test_each_record_follows_the_frames_of_its_point(steps, burst):
    assert events(steps, burst) == ([(True, False)] * burst + [(False, True)]) * steps


def test_record_goes_to_the_worker_of_the_frame_before_it():
    trigger_map = scan_map("pilatus", 100, 3, records=True, separate=True)
    part = trigger_map.parts["points"]
    for image, record in zip(part["pilatus"], part["sardana"][1:], strict=False):
        if record is not None:
            assert record == image


def test_request_may_ask_for_it():
    text = '{"streams": ["pilatus", "sardana"], "steps": 1, "burst": 1, "separate_record": %s}'
    assert parse_request(text % "true").separate
    assert not parse_request(text % "false").separate
    with pytest.raises(BadRequest, match="separate_record"):
        parse_request(text % "1")
