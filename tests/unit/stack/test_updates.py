"""Which of the controller's updates a dranspose service acts on at once."""

import json

import pytest

from femtotango.stack.launch import _up_to_map

SETTINGS = {"active_streams": [], "finished": False}
MAP = {"active_streams": ["pilatus"], "finished": False}
END = {"active_streams": [], "finished": True}


@pytest.mark.parametrize(
    ("updates", "taken"),
    [
        ([SETTINGS], 1),
        ([SETTINGS, SETTINGS, SETTINGS], 3),
        ([SETTINGS, MAP, SETTINGS], 2),
        ([MAP, MAP], 1),
        ([SETTINGS, END, MAP], 2),
    ],
)
def test_settings_are_skipped_for_newer_ones_but_no_map_and_no_end(updates, taken) -> None:
    assert _up_to_map([json.dumps(update) for update in updates]) == taken
