"""Whether dranspose's parameters have changed: seen from its objects, or from what is in them."""

from types import SimpleNamespace
from typing import Any

from pipeline.dranspose_parameters import Changes


def parameter(data: bytes) -> Any:
    return SimpleNamespace(data=data)


def test_parameters_change_when_their_bytes_do() -> None:
    changes = Changes()
    parameters = {"background": parameter(b"100.0"), "rois": parameter(b"{}")}
    assert changes.there_are(parameters)
    assert changes.take(parameters)
    assert not changes.there_are(parameters)
    assert not changes.take(parameters)
    # dranspose makes another object of each value that it reads again.
    parameters["rois"] = parameter(b"{}")
    assert not changes.there_are(parameters)
    assert not changes.take(parameters)
    parameters["rois"] = parameter(b'{"a": 1}')
    assert changes.there_are(parameters)
    assert changes.there_are(parameters), "looking takes nothing"
    assert changes.take(parameters)
    assert not changes.there_are(parameters)


def test_none_at_all_are_taken_once() -> None:
    changes = Changes()
    assert changes.there_are({})
    assert changes.take({})
    assert not changes.there_are({})
