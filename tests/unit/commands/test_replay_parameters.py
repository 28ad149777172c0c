"""The settings of a replay, as people write them."""

import json
from pathlib import Path

import pytest

from femtotango.commands.replay_app import _checked_parameters

WORKER, REDUCER = "pipeline.worker:FemtomaxWorker", "pipeline.reducer:FemtomaxReducer"


def parameters(folder: Path, content: object) -> dict[str, bytes]:
    path = folder / "parameters.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return _checked_parameters(str(path), WORKER, REDUCER)


@pytest.mark.parametrize(
    "content",
    [
        [{"name": "accumulate", "data": "True"}, {"name": "distance", "data": "0.131"}],
        [{"name": "accumulate", "data": True}, {"name": "distance", "data": 0.131}],
        {"accumulate": True, "distance": 0.131},
    ],
)
def test_a_value_may_be_text_or_itself(tmp_path: Path, content: object) -> None:
    from pipeline.model.parameters import PARAMETERS

    given = parameters(tmp_path, content)
    assert PARAMETERS["accumulate"].decode(given["accumulate"]) is True
    assert PARAMETERS["distance"].decode(given["distance"]) == 0.131


def test_rois_may_be_an_object(tmp_path: Path) -> None:
    from pipeline.model.parameters import PARAMETERS

    rois = {"a": {"x": 1, "y": 2, "width": 3, "height": 4}}
    given = parameters(tmp_path, {"rois": rois})
    assert json.loads(str(PARAMETERS["rois"].decode(given["rois"]))) == rois


@pytest.mark.parametrize("content", ["no list", "[1]", '[{"name": "accumulate"}]', "3"])
def test_what_cannot_be_read_shows_an_example(tmp_path: Path, content: str) -> None:
    with pytest.raises(SystemExit, match='"accumulate": true'):
        parameters(tmp_path, content)
