"""Eight fixed places for ROIs, so that a client's channel keeps showing the same one."""

from collections.abc import Iterable

SLOTS = 8

EMPTY: tuple[str, ...] = ("",) * SLOTS


def assign(slots: Iterable[str], names: Iterable[str]) -> tuple[str, ...]:
    """Put names into slots.

    A name keeps its slot until it is removed; a new one takes the first free slot; names for
    which no slot is free have none.

    Args:
        slots: names in the slots so far, empty where free.
        names: all ROIs, in their order.

    Returns:
        Eight names, empty where free.
    """
    wanted = list(names)
    kept = [name if name in wanted else "" for name in slots][:SLOTS]
    kept += [""] * (SLOTS - len(kept))
    for name in wanted:
        if name not in kept and "" in kept:
            kept[kept.index("")] = name
    return tuple(kept)
