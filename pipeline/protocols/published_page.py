"""The reference page of what the reducer publishes, made from the table itself."""

from pipeline.protocols.groups import Row, rows
from pipeline.protocols.packed_datasets import FrameSafety, RoiCurves
from pipeline.protocols.published_paths import (
    CURVES,
    FRAME_SAFETY,
    SNAPSHOT,
    SNAPSHOT_WITH_CURVES,
)
from pipeline.protocols.snapshot import Published

_HEAD = f"""# What the reducer publishes

This page is printed by `scripts/published-docs` from the table in `pipeline/protocols/snapshot/`.

dranspose's reducer serves these values by HTTP: open them with h5pyd, silx or any HTTP client.
All of them belong to one moment, told by `revision`. Images are `(y, x)`. A value that is not known
is left out; in arrays it is NaN. Units, axes and names for plots stand in the HDF5 attributes, as
NeXus has them.

Arrays with a * are made when somebody reads them. `{SNAPSHOT}` holds everything else, `{CURVES}`
the ROI curves, each packed into one array, so that one request brings values of one moment: 8
bytes little-endian length of a JSON header, the header (numbers and texts by path; dtype, shape
and offset of arrays), the arrays' bytes. `{SNAPSHOT_WITH_CURVES}` holds both, with
`{SNAPSHOT}/` and `{CURVES}/` before their paths. `{FRAME_SAFETY}` is packed in the same way, but is
not of the moment that `revision` tells: each reader gets it as it stands when he reads.
"""


def published_page() -> str:
    """Return the page as Markdown."""
    return "\n".join(
        [
            _HEAD,
            _table([_row(row) for row in rows(Published)]),
            f"`{CURVES}` holds:\n",
            _table([_row(row) for row in rows(RoiCurves)]),
            f"`{FRAME_SAFETY}` holds:\n",
            _table([_row(row) for row in rows(FrameSafety)]),
        ]
    )


def _row(row: Row) -> tuple[str, ...]:
    path = f"`{row.path}`" + (" *" if row.rendered else "")
    return path, row.type, row.shape, row.unit, row.meaning


def _table(lines: list[tuple[str, ...]]) -> str:
    head = ("path", "type", "shape", "unit", "meaning")
    return "".join(f"| {' | '.join(line)} |\n" for line in [head, ("---",) * len(head), *lines])
