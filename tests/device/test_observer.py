"""What the observer fetches, from a tree that dranspose's own code serves."""

from dataclasses import replace

import numpy as np
import pytest
from support.published import published
from support.waiting import wait_for

from femtotango.component import results_poller
from femtotango.component.results_poller import Curves, Observer
from femtotango.dranspose_client.reducer import Reducer
from pipeline.protocols import snapshot
from pipeline.protocols.packed_datasets import RoiCurves
from pipeline.protocols.tree import as_tree, pack_group, pack_groups


class Published(dict):
    """A reducer's tree that is changed as the reducer does: everything at once."""

    def show(self, revision, frames=0, mapping="m", means=((1.0, 2.0),), **more):
        values = snapshot.Published(
            revision=revision,
            health=snapshot.Health(frames=frames),
            scan=snapshot.Scan(mapping=mapping),
            **more,
        )
        curves = RoiCurves(
            names=tuple(f"roi{i}" for i in range(len(means))),
            x=np.arange(float(len(means[0]))),
            means=np.array(means, float),
            errors=np.zeros_like(np.array(means, float)),
        )
        groups = {"snapshot": values, "curves": curves}
        packed = {name: pack_group(group) for name, group in groups.items()}
        values = replace(values, **packed, snapshot_with_curves=pack_groups(groups))
        self.update(as_tree(values))


@pytest.fixture
def tree():
    return Published()


@pytest.fixture
def observer(tree):
    with published(tree) as address:
        reducer = Reducer(address)
        yield Observer(reducer)
        reducer.close()


def test_a_reducer_without_results_says_how_to_start_it(observer):
    observation = observer.poll_results()
    assert "pipeline.reducer:FemtomaxReducer" in observation.error


def test_snapshot_and_curves_of_one_revision(tree, observer):
    tree.show(3, frames=2, shown=snapshot.CameraImage(detector="pilatus"))
    observation = observer.poll_results()
    assert observation.error is None
    assert observation.revision == observation.curves.revision == 3
    assert observation.snapshot.shown.detector == "pilatus"
    assert observation.mapping == observation.curves.mapping == "m"
    np.testing.assert_array_equal(observation.curves.means, [[1.0, 2.0]])


@pytest.mark.parametrize(
    ("quick", "not_asked_for"), [(60.0, "curves"), (0.0, "snapshot_with_curves")]
)
def test_curves_come_with_the_snapshot_unless_they_take_long(
    tree, observer, monkeypatch, quick, not_asked_for
):
    monkeypatch.setattr(results_poller, "_SHARE", 0)
    monkeypatch.setattr(results_poller, "_QUICK", quick)
    tree.show(3)
    observer.poll_results()
    tree.show(4, means=[[7.0]])
    del tree[not_asked_for]
    observation = observer.poll_results()
    assert observation.whole
    assert observation.curves.means[0, 0] == 7.0


def test_nothing_is_fetched_again_while_the_revision_stays(tree, observer):
    tree.show(3)
    first = observer.poll_results()
    assert observer.poll_results().snapshot is first.snapshot
    tree.show(4)
    assert observer.poll_results().revision == 4


def test_a_reducer_that_was_restarted_begins_anew(tree, observer):
    tree.show(300, frames=50)
    observer.poll_results()
    tree.show(2, frames=1)
    observation = observer.poll_results()
    assert observation.revision == 2
    assert observation.frame_rate == 0.0


def test_before_the_first_scan_there_are_no_curves(tree, observer):
    tree.show(1, mapping="")
    observation = observer.poll_results()
    assert observation.error is None
    assert observation.curves.revision == 1
    assert observation.curves.names == ()


def test_big_curves_are_fetched_less_often_but_always_on_demand(tree, observer, monkeypatch):
    monkeypatch.setattr(results_poller, "_SHARE", 1e6)
    big = np.ones((100, 20_000))
    tree.show(1, means=big)
    observer.poll_results()
    tree.show(2, means=2 * big)
    assert observer.poll_results().curves.revision == 1
    monkeypatch.setattr(results_poller, "_SHARE", 1)
    assert observer.poll_results(complete=True).curves.means[0, 0] == 2.0
    tree.show(3, means=3 * big)
    wait_for(lambda: observer.poll_results().curves.revision == 3)


def test_results_stay_when_the_reducer_goes_but_are_marked(tree):
    with published(tree) as address:
        reducer = Reducer(address)
        observer = Observer(reducer)
        tree.show(5, frames=3)
        assert observer.poll_results().error is None
    observation = observer.poll_results()
    assert "does not answer" in observation.error
    assert observation.frames == 3
    reducer.close()


def test_a_packed_set_that_cannot_be_read_is_said(tree, observer):
    tree.show(5)
    tree["snapshot"] = np.zeros(20, np.uint8)
    assert "cannot be read" in observer.poll_results().error


def test_rows_come_in_the_order_that_is_asked_for():
    curves = Curves(("a", "b"), np.arange(2.0), np.array([[1.0, 2.0], [3.0, 4.0]]))
    rows = curves.rows(("b", "new", "a"), curves.means)
    np.testing.assert_array_equal(rows, [[3.0, 4.0], [np.nan, np.nan], [1.0, 2.0]])
    assert curves.rows((), curves.means).shape == (0, 2)
