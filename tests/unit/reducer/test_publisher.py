"""The publisher builds a tree when something has changed, and shows what it is given."""

import numpy as np
import pytest

from pipeline.model.parameters import Settings
from pipeline.protocols import snapshot
from pipeline.protocols.batch import Batch, CameraResult, EventResult, FrameResult, PartialSum
from pipeline.reducer.live_integration import PublishedCurve
from pipeline.reducer.publisher import Publisher
from pipeline.reducer.state import ReducerState

IMAGE = np.arange(12.0).reshape(3, 4)


@pytest.fixture
def state() -> ReducerState:
    return ReducerState(settings=Settings(rois='{"a": {"x":0,"y":0,"width":1,"height":1}}'))


@pytest.fixture
def publisher(state: ReducerState) -> Publisher:
    return Publisher(state, lambda: True)


def frame(sequence: int, mean: float = 2.0) -> Batch:
    result = FrameResult("pilatus", sequence, ("a",), np.array([mean]), True, 1)
    partial = PartialSum(
        "m", "pilatus", "TOT", (3, 4), True, 1, (sequence,), (sequence,), IMAGE, None
    )
    return Batch(
        "boot",
        sequence,
        "m",
        "w",
        sequence,
        EventResult((CameraResult("pilatus", frame=result),), partials=(partial,)),
    )


def test_a_tree_stays_until_something_has_changed(state, publisher) -> None:
    first = publisher.tree()
    assert publisher.tree() is first
    state.mark_changed()
    second = publisher.tree()
    assert second is not first
    assert second["revision"] == first["revision"] + 1


def test_before_the_first_frame_there_is_no_image(publisher) -> None:
    tree = publisher.tree()
    assert tree["accumulated_number"] == 0
    assert tree["roi_names"] == ["a"]
    assert np.isnan(tree["roi_newest"]).all()
    assert "set PhotonRoi" in tree["photons"]["reason"]
    for name in ("image", "image_sum", "preview", "scan", "geometry", "azimuthal", "x"):
        assert name not in tree


def test_a_tree_is_not_changed_by_later_frames(state, publisher) -> None:
    state.add_batch(frame(0))
    first = publisher.tree()
    state.add_batch(frame(1, 4.0))
    second = publisher.tree()
    assert (first["accumulated_number"], second["accumulated_number"]) == (1, 2)
    assert (first["image_sum"], second["image_sum"]) == (66.0, 132.0)
    assert second["health"]["frames"] == 2
    np.testing.assert_array_equal(np.asarray(second["roi_means"]["a"]), [2.0, 4.0])


def test_curve_and_alarms_are_shown_and_mark_a_change(state, publisher) -> None:
    curve = snapshot.Azimuthal(q=np.ones(2), intensity=np.ones(2), intensity_errors=np.ones(2))
    before = state.revision
    publisher.show_curve(PublishedCurve(snapshot.Geometry(poni="text"), curve))
    publisher.show_alarms(["Disk full."])
    assert state.revision == before + 2
    tree = publisher.tree()
    assert tree["geometry"] == {"poni": "text"}
    assert tree["azimuthal"]["q"].tolist() == [1.0, 1.0]
    assert tree["health"]["alarms"] == ["Disk full."]
    publisher.show_alarms(["Disk full."])
    assert state.revision == before + 2, "the same alarms are no change"
    publisher.show_curve(PublishedCurve(snapshot.Geometry(reason="Distance is not set.")))
    assert "azimuthal" not in publisher.tree()


@pytest.mark.parametrize("current", [True, False])
def test_settled_is_what_curve_and_files_say(state, current) -> None:
    assert Publisher(state, lambda: current).published().health.settled == current


def test_files_that_are_being_closed_are_not_settled(state, publisher) -> None:
    state._closing.append((object(), True))  # type: ignore[arg-type]  # nobody looks into it
    assert not publisher.published().health.settled
    state.take_closing()
    state.note_closed()
    assert publisher.published().health.settled
