"""Groups become a tree, a packed array, and groups again."""

from collections.abc import Mapping
from dataclasses import FrozenInstanceError
from typing import ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.protocols.groups import (
    Group,
    Rendered,
    ValueOf,
    by_name,
    group,
    hidden,
    published,
    rendered,
    rows,
    value,
)
from pipeline.protocols.packing import WireError, pack
from pipeline.protocols.tree import Branch, as_tree, leaves, pack_group, read_group


@published
class Camera(Group):
    nexus: ClassVar[Mapping[str, object]] = {"NX_class": "NXdata", "signal": "preview"}

    image: Rendered | None = rendered("Pixels.", default=None, dtype="float32")
    preview: NDArray[np.float32] = value(
        "Small.", default=np.empty(0, np.float32), attributes={"units": ValueOf("label")}
    )
    frames: int = value("Frames.", default=0)
    label: str | None = hidden(default=None)


@published
class Facts(Group):
    rate: float = value("Rate.", default=float("nan"), unit="Hz")
    names: tuple[str, ...] = value("Names.", default=())


@published
class Everything(Group):
    revision: int = value("Changes.")
    shown: Camera = group(default=Camera(), inline=True)
    facts: Facts = group(default=Facts())
    cameras: Mapping[str, Camera] | None = by_name("stream", default=None)
    columns: Mapping[str, NDArray[np.float64]] | None = by_name(
        "column", "Numbers of the records.", default=None
    )


PREVIEW = np.ones(3, np.float32)
FULL = Everything(
    revision=4,
    shown=Camera(image=np.zeros((9, 9), np.float32), preview=PREVIEW, frames=2, label="ADU"),
    facts=Facts(rate=10.0, names=("a", "b")),
    cameras={"pilatus": Camera(frames=2), "zyla": Camera(frames=3, preview=PREVIEW)},
    columns={"motor/1": np.arange(2.0), "i0_attrs": np.arange(3.0)},
)


def test_a_tree_has_groups_attributes_and_names_that_can_stand_in_a_path():
    tree = as_tree(FULL)
    assert list(tree) == [
        "revision",
        "image",
        "preview",
        "preview_attrs",
        "frames",
        "facts",
        "cameras",
        "columns",
    ]
    assert tree["preview_attrs"] == {"units": "ADU"}
    assert tree["facts"] == {"rate": 10.0, "rate_attrs": {"units": "Hz"}, "names": ["a", "b"]}
    assert tree["cameras"]["zyla_attrs"] == {"NX_class": "NXdata", "signal": "preview"}
    assert list(tree["columns"]) == ["motor_1", "i0_attrs_"]


def test_what_has_no_value_is_left_out():
    assert as_tree(Everything(revision=1)).keys() == {"revision", "preview", "frames"}
    assert as_tree(Everything(revision=1, facts=Facts()))["facts"] == {"names": []}
    for rate in (float("nan"), float("inf")):
        assert "rate" not in as_tree(Facts(rate=rate))
        assert "rate" not in leaves(Facts(rate=rate))


def test_what_is_packed_comes_back_typed_and_frozen():
    back = read_group(Everything, pack_group(FULL).tobytes())
    assert back.revision == 4
    assert back.facts.names == ("a", "b")
    assert back.shown.frames == 2
    assert back.shown.image is None, "rendered arrays are read by themselves"
    assert back.cameras is not None and back.columns is not None
    assert {name: camera.frames for name, camera in back.cameras.items()} == {
        "pilatus": 2,
        "zyla": 3,
    }
    np.testing.assert_array_equal(back.cameras["zyla"].preview, PREVIEW)
    assert list(back.columns) == ["motor_1", "i0_attrs_"]
    with pytest.raises(FrozenInstanceError):
        back.revision = 5  # type: ignore[misc]


def test_what_is_not_published_has_its_default():
    back = read_group(Everything, pack_group(Everything(revision=1)).tobytes())
    assert back.facts is Everything(revision=2).facts
    assert back.cameras is None
    assert leaves(back).keys() == {"revision", "preview", "frames"}


def test_a_newer_reducer_may_publish_more():
    data = pack({**leaves(FULL), "facts/new": 3, "new": 4.0}).tobytes()
    assert read_group(Everything, data).revision == 4


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"revision": "four"}, "revision is four, expected int"),
        ({"revision": 4.5}, "revision is 4.5, expected int"),
        ({"facts/rate": "x"}, "facts/rate is x, expected float"),
        ({"facts/names": "a"}, "facts/names is a, expected list of str"),
        ({"preview": 3}, "preview is 3, expected float32 array"),
        ({"cameras/pilatus/frames": []}, r"cameras/pilatus/frames is \[\], expected int"),
        ({"columns/motor_1": np.arange(2)}, "columns/motor_1 is .*, expected float64 array"),
    ],
)
def test_a_value_of_another_type_is_named(changed, said):
    with pytest.raises(WireError, match=said):
        read_group(Everything, pack({**leaves(FULL), **changed}).tobytes())


def test_a_whole_number_is_a_float_too():
    assert read_group(Facts, pack({"rate": 3}).tobytes()).rate == 3.0


def test_a_value_that_must_be_there_is_named():
    with pytest.raises(WireError, match="revision is missing"):
        read_group(Everything, pack({"frames": 2}).tobytes())


def test_rows_name_every_path():
    table = {row.path: row for row in rows(Everything)}
    assert list(table) == [
        "revision",
        "image",
        "preview",
        "frames",
        "facts/rate",
        "facts/names",
        "cameras/<stream>/image",
        "cameras/<stream>/preview",
        "cameras/<stream>/frames",
        "columns/<column>",
    ]
    assert table["facts/rate"].unit == "Hz"
    assert table["image"].rendered
    assert table["columns/<column>"].type == "float64 array"


def test_a_branch_is_made_when_somebody_looks_and_is_a_dict_then() -> None:
    made: list[int] = []

    def make() -> dict[str, int]:
        made.append(1)
        return {"a": 1}

    looks = [
        lambda b: b["a"],
        lambda b: "a" in b,
        list,
        len,
        lambda b: b.keys(),
        lambda b: b.items(),
        lambda b: b.values(),
        lambda b: b.get("a"),
        lambda b: b == {"a": 1},
        dict,
        lambda b: {**b},
    ]
    for number, look in enumerate(looks):
        branch = Branch(make)
        assert isinstance(branch, dict) and len(made) == number
        assert look(branch)
        assert dict(branch) == {"a": 1} and len(made) == number + 1
