"""A dranspose service reads a parameter again only when it has changed."""

from uuid import uuid4

import pytest
from dranspose.protocol import WorkParameter

from pipeline.dranspose_updates import read_what_has_changed


def test_a_parameter_that_is_known_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WorkParameter, "__eq__", WorkParameter.__eq__)
    known = WorkParameter(name="background", data=b"100.0", value=100.0)
    wanted = known.uuid
    assert known != wanted, "dranspose compares them right now: nothing is left to change"
    read_what_has_changed()
    assert known == wanted
    assert known != uuid4()
    assert known == WorkParameter(name="background", data=b"100.0", value=100.0, uuid=wanted)
    assert known != WorkParameter(name="background", data=b"50.0", value=50.0, uuid=wanted)


def test_one_whose_description_was_missing_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WorkParameter, "__eq__", WorkParameter.__eq__)
    read_what_has_changed()
    half = WorkParameter(name="background", data=b"100.0")
    assert half != half.uuid
