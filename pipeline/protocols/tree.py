"""Publish groups as a tree with HDF5 attributes, pack them into one array, read them back typed.

What has no value (None, a scalar that is not finite) is left out: dranspose's HTTP reader breaks
on it. So is a group that is still the default of its field.

Parts that hold nothing but rendered arrays, by name, are made when somebody reads them: with 100
ROIs they are most of the tree, and most clients read the packed snapshot only.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING
from functools import cache, partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.protocols.groups import Field, Group, Info, Rendered, ValueOf, fields_of
from pipeline.protocols.packing import WireError, pack, unpack

ATTRIBUTES = "_attrs"
"""dranspose serves `<name>_attrs` as the HDF5 attributes of `<name>`."""

G = TypeVar("G", bound=Group)


class Branch(dict[str, Any]):
    """A part of the tree that is made when somebody first looks into it, under the tree's lock."""

    def __init__(self, make: Callable[[], dict[str, Any]]) -> None:
        super().__init__()
        self._make: Callable[[], dict[str, Any]] | None = make

    def _fill(self) -> None:
        if self._make is not None:
            make, self._make = self._make, None
            self.update(make())

    def __getitem__(self, key: str) -> Any:
        self._fill()
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self._fill()
        return super().__contains__(key)

    def __iter__(self) -> Iterator[str]:
        self._fill()
        return super().__iter__()

    def __len__(self) -> int:
        self._fill()
        return super().__len__()

    def __eq__(self, other: object) -> bool:
        self._fill()
        return super().__eq__(other)

    def keys(self) -> Any:
        """Return the names."""
        self._fill()
        return super().keys()

    def values(self) -> Any:
        """Return what is there."""
        self._fill()
        return super().values()

    def items(self) -> Any:
        """Return both."""
        self._fill()
        return super().items()

    def get(self, key: str, default: Any = None) -> Any:
        """Return what has a name."""
        self._fill()
        return super().get(key, default)


@cache
def _is_rendered(kind: Any) -> bool:
    """Say whether a field's kind holds nothing but rendered arrays."""
    if isinstance(kind, type) and issubclass(kind, Group):
        return all(f.info.hidden or _is_rendered(f.kind) for f in fields_of(kind))
    return kind is Rendered


def _is_absent(item: Any) -> bool:
    return item is None or (isinstance(item, float) and not math.isfinite(item))


def _on_the_wire(item: Any) -> Any:
    return list(item) if isinstance(item, tuple) else item


def path_name(name: str) -> str:
    """Return a name that can stand in a path: a motor may be called anything."""
    name = name.replace("/", "_")
    return f"{name}_" if name.endswith(ATTRIBUTES) else name


def as_tree(values: Group) -> dict[str, Any]:
    """Return the values as dranspose serves them, attributes included."""
    tree: dict[str, Any] = {ATTRIBUTES: dict(values.nexus)} if values.nexus else {}
    for f in fields_of(type(values)):
        item = getattr(values, f.name)
        if f.info.hidden or _is_absent(item):
            continue
        if f.info.names:
            make = partial(_by_name, f, item, values)
            tree[f.name] = Branch(make) if _is_rendered(f.kind) else make()
        elif f.info.inline:
            tree.update({name: part for name, part in as_tree(item).items() if name != ATTRIBUTES})
        elif not (f.is_group and item is f.default):
            _put(tree, f.name, f, item, values)
    return tree


def _by_name(f: Field, items: Mapping[str, Any], owner: Group) -> dict[str, Any]:
    part: dict[str, Any] = {}
    for name, item in items.items():
        _put(part, path_name(name), f, item, owner)
    return part


def _put(tree: dict[str, Any], name: str, f: Field, item: Any, owner: Group) -> None:
    if isinstance(item, Group):
        tree[name] = as_tree(item)
        attributes = tree[name].pop(ATTRIBUTES, {})
    else:
        tree[name] = _on_the_wire(item)
        attributes = _attributes(f.info, owner)
    if attributes:
        tree[name + ATTRIBUTES] = attributes


def _attributes(info: Info, owner: Group) -> dict[str, Any]:
    found = {"units": info.unit} if info.unit else {}
    for name, item in info.attributes.items():
        found[name] = getattr(owner, item.field) if isinstance(item, ValueOf) else item
    return {name: item for name, item in found.items() if item is not None}


def leaves(values: Group, prefix: str = "") -> dict[str, Any]:
    """Return all values but the rendered ones by path, as they are packed."""
    found: dict[str, Any] = {}
    for f in fields_of(type(values)):
        item = getattr(values, f.name)
        if f.info.hidden or _is_rendered(f.kind) or _is_absent(item):
            continue
        path = f.path(prefix)
        if f.info.names:
            parts = {f"{path}/{path_name(name)}": part for name, part in item.items()}
        elif f.is_group and item is f.default and not f.info.inline:
            parts = {}
        else:
            parts = {path: item}
        for path, part in parts.items():
            if isinstance(part, Group):
                found |= leaves(part, path if f.info.inline else f"{path}/")
            else:
                found[path] = _on_the_wire(part)
    return found


def pack_group(values: Group) -> NDArray[np.uint8]:
    """Pack all values but the rendered ones; `read_group` undoes it."""
    return pack(leaves(values))


def pack_groups(groups: Mapping[str, Group]) -> NDArray[np.uint8]:
    """Pack several groups, the paths of each behind its name; `build_group` reads one of them."""
    return pack(
        {
            f"{name}/{path}": item
            for name, values in groups.items()
            for path, item in leaves(values).items()
        }
    )


def read_group(kind: type[G], data: bytes) -> G:
    """Read what `pack_group` made; names that are not known are ignored.

    Raises:
        WireError: the bytes are no packed values, one that must be there is missing, or one has
            another type.
    """
    return build_group(kind, unpack(data), "")


def build_group(kind: type[G], found: Mapping[str, Any], prefix: str) -> G:
    """Make a group of values that were unpacked.

    Args:
        kind: of the group.
        found: values by path.
        prefix: what stands before its paths.

    Raises:
        WireError: as in `read_group`.
    """
    values: dict[str, Any] = {}
    for f in fields_of(kind):
        path = f.path(prefix)
        if f.info.names and f.kind is not Rendered:
            below = f"{path}/"
            names = dict.fromkeys(
                p.removeprefix(below).split("/")[0] for p in found if p.startswith(below)
            )
            if names:
                values[f.name] = {name: _read(f, found, below + name) for name in names}
        elif f.is_group:
            if f.info.inline or any(p.startswith(f"{path}/") for p in found):
                values[f.name] = _read(f, found, path)
        elif path in found:
            values[f.name] = _read(f, found, path)
        elif f.default is MISSING:
            raise WireError(f"{path} is missing")
    return kind(**values)


def _read(f: Field, found: Mapping[str, Any], path: str) -> Any:
    if f.is_group:
        return build_group(f.kind, found, path if f.info.inline else f"{path}/")
    item = found[path]
    read = _READERS.get(f.kind, _read_array)(f.kind, item)
    if read is None:
        raise WireError(f"{path} is {str(item)[:40]}, expected {f.type_name}")
    return read


def _read_number(kind: type, item: Any) -> Any:
    return kind(item) if isinstance(item, int) or type(item) is kind else None


def _read_text(kind: type, item: Any) -> Any:
    return item if isinstance(item, str) else None


def _read_texts(kind: type, item: Any) -> Any:
    return tuple(map(str, item)) if isinstance(item, list) else None


def _read_array(dtype: np.dtype[Any], item: Any) -> Any:
    return item if isinstance(item, np.ndarray) and item.dtype.kind == dtype.kind else None


_READERS: Mapping[Any, Callable[[Any, Any], Any]] = {
    int: _read_number,
    float: _read_number,
    str: _read_text,
    tuple: _read_texts,
}
