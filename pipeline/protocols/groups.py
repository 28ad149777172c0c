"""Declare groups of published values: frozen dataclasses whose fields are the published names."""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from types import NoneType, UnionType
from typing import (
    Any,
    ClassVar,
    Protocol,
    TypeVar,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

import numpy as np
from numpy.typing import NDArray

_KEY = "published"


class Rendered(Protocol):
    """An array that is made when somebody reads it; never part of a packed group."""

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Return the array."""
        ...


@dataclass(frozen=True)
class ValueOf:
    """Stands for the value of another field of the same group."""

    field: str


@dataclass(frozen=True)
class Info:
    """What a field's declaration says."""

    meaning: str = ""
    unit: str = ""
    shape: str = ""
    dtype: str = ""
    """Of a rendered array."""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    names: str = ""
    """What the names of a mapping are."""
    inline: bool = False
    hidden: bool = False


def _field(default: Any, info: Info) -> Any:
    if default is MISSING:
        return field(metadata={_KEY: info})
    # A dataclass takes no array as a default, though nobody changes this one.
    return field(metadata={_KEY: info}, default_factory=lambda: default)


def value(
    meaning: str,
    *,
    default: Any = MISSING,
    unit: str = "",
    shape: str = "",
    attributes: Mapping[str, Any] | None = None,
) -> Any:
    """Declare a number, text, list of texts or array.

    Args:
        meaning: for the reference page.
        default: what readers get when it is not published.
        unit: published as its attribute ``units``.
        shape: of an array, as in ``(ny, nx)``.
        attributes: its other HDF5 attributes; a `ValueOf` takes a field's value.
    """
    return _field(default, Info(meaning, unit, shape, attributes=attributes or {}))


def rendered(
    meaning: str,
    *,
    default: Any = MISSING,
    dtype: str,
    unit: str = "",
    shape: str = "",
    attributes: Mapping[str, Any] | None = None,
) -> Any:
    """Declare a `Rendered` array; `dtype` names the types that it may have."""
    return _field(default, Info(meaning, unit, shape, dtype, attributes or {}))


def group(*, default: Any = MISSING, inline: bool = False) -> Any:
    """Declare a group; inline: its values stand beside the others, not in a group of their own."""
    return _field(default, Info(inline=inline))


def by_name(
    names: str, meaning: str = "", *, default: Any = MISSING, dtype: str = "", shape: str = ""
) -> Any:
    """Declare a mapping from names to arrays or groups.

    Args:
        names: what the names are, for the reference page: ``roi``.
        meaning: of each array.
        default: None leaves the whole group out.
        dtype: of `Rendered` arrays.
        shape: of each array.
    """
    return _field(default, Info(meaning, "", shape, dtype, names=names))


def hidden(*, default: Any = MISSING) -> Any:
    """Declare a value that is not published itself, but as an attribute of others (`ValueOf`)."""
    return _field(default, Info(hidden=True))


def plotted(signal: str, *axes: str) -> dict[str, object]:
    """Return the HDF5 attributes of a NeXus data group: what is plotted over what."""
    return {"NX_class": "NXdata", "signal": signal, **({"axes": list(axes)} if axes else {})}


class Group:
    """A group of published values."""

    nexus: ClassVar[Mapping[str, Any]] = {}
    """HDF5 attributes of the group."""


G = TypeVar("G", bound=Group)


@dataclass_transform(
    frozen_default=True,
    eq_default=False,
    kw_only_default=True,
    field_specifiers=(value, rendered, group, by_name, hidden),
)
def published(kind: type[G]) -> type[G]:
    """Make a frozen dataclass of a group."""
    return dataclass(frozen=True, eq=False, kw_only=True)(kind)


@dataclass(frozen=True)
class Field:
    """One field of a group, as the code that publishes and reads it sees it."""

    name: str
    kind: Any
    """int, float, str, tuple, an array's dtype, `Rendered`, or a `Group`."""
    info: Info
    default: Any
    """MISSING: there is none."""

    @property
    def is_group(self) -> bool:
        """True when it holds a group, or groups by name."""
        return isinstance(self.kind, type) and issubclass(self.kind, Group)

    @property
    def type_name(self) -> str:
        """The type as the reference page writes it."""
        if self.kind is Rendered:
            return f"{self.info.dtype} array"
        if isinstance(self.kind, np.dtype):
            return f"{self.kind.name} array"
        return "list of str" if self.kind is tuple else self.kind.__name__

    def path(self, prefix: str) -> str:
        """Return its path, or that of the group that it stands for."""
        return prefix if self.info.inline else f"{prefix}{self.name}"


@cache
def fields_of(kind: type[Group]) -> tuple[Field, ...]:
    """Return the fields of a group."""
    hints = get_type_hints(kind)
    return tuple(
        Field(f.name, _kind(hints[f.name]), f.metadata[_KEY], _default(f.default_factory))
        for f in fields(kind)  # type: ignore[arg-type]  # `published` makes dataclasses of them
    )


def _default(factory: Any) -> Any:
    return MISSING if factory is MISSING else factory()


def _kind(hint: Any) -> Any:
    """Return what a field holds, without `None` and the mapping around it."""
    if get_origin(hint) in (Union, UnionType):
        (hint,) = (part for part in get_args(hint) if part is not NoneType)
    origin = get_origin(hint)
    if origin is tuple:
        return tuple
    if origin is np.ndarray:
        (scalar,) = get_args(get_args(hint)[1])
        return np.dtype(scalar)
    if origin is not None and issubclass(origin, Mapping):
        return _kind(get_args(hint)[1])
    return hint


@dataclass(frozen=True)
class Row:
    """One published value, for the reference page."""

    path: str
    """With ``<roi>`` where a name stands."""
    type: str
    shape: str
    unit: str
    meaning: str
    rendered: bool


def rows(kind: type[Group], prefix: str = "") -> Iterator[Row]:
    """Yield every value that a group can publish."""
    for f in fields_of(kind):
        if f.info.hidden:
            continue
        path = f.path(prefix)
        if f.info.names:
            path = f"{path}/<{f.info.names}>"
        if f.is_group:
            yield from rows(f.kind, path if f.info.inline else f"{path}/")
        else:
            info = f.info
            yield Row(path, f.type_name, info.shape, info.unit, info.meaning, f.kind is Rendered)
