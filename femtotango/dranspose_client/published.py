"""What the reducer publishes as one packed array, read."""

from typing import TypeVar

from femtotango.dranspose_client.reducer import Reducer
from femtotango.errors import BadReply
from pipeline.protocols.groups import Group
from pipeline.protocols.packing import WireError
from pipeline.protocols.tree import read_group

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
    try:
        return read_group(kind, reducer.data(path, patience))
    except WireError as error:
        raise BadReply(f"The reducer's {path} cannot be read: {error}") from error
