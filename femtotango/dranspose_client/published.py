"""What the reducer publishes as one packed array, read."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from femtotango.dranspose_client.reducer import Reducer
from femtotango.errors import BadReply
from pipeline.protocols.groups import Group
from pipeline.protocols.packed_datasets import RoiCurves
from pipeline.protocols.packing import WireError, unpack
from pipeline.protocols.published_paths import CURVES, SNAPSHOT, SNAPSHOT_WITH_CURVES
from pipeline.protocols.snapshot import Published
from pipeline.protocols.tree import build_group, read_group

G = TypeVar("G", bound=Group)


def fetch_group(reducer: Reducer, kind: type[G], path: str, patience: float | None = None) -> G:
    """Fetch a group of published values.

    Args:
        reducer: to ask.
        kind: what the array holds.
        path: as published, ``snapshot``.
        patience: how long the answer may take [s]; None: as for a large one.

    Raises:
        BadReply: the array cannot be read, or there is none.
        PipelineError: the reducer cannot be reached.
    """
    with _read(path):
        return read_group(kind, reducer.data(path, patience))


def fetch_all(reducer: Reducer, patience: float) -> tuple[Published, RoiCurves | None]:
    """Fetch the snapshot and the ROI curves of one moment in one request.

    Args:
        reducer: to ask.
        patience: how long the answer may take [s].

    Returns:
        Both; without a scan there are no curves.

    Raises:
        BadReply: the array cannot be read, or there is none.
        PipelineError: the reducer cannot be reached.
    """
    with _read(SNAPSHOT_WITH_CURVES):
        found = unpack(reducer.data(SNAPSHOT_WITH_CURVES, patience))
        snapshot = build_group(Published, found, f"{SNAPSHOT}/")
        if not any(path.startswith(f"{CURVES}/") for path in found):
            return snapshot, None
        return snapshot, build_group(RoiCurves, found, f"{CURVES}/")


@contextmanager
def _read(path: str) -> Iterator[None]:
    try:
        yield
    except WireError as error:
        raise BadReply(f"The reducer's {path} cannot be read: {error}") from error
