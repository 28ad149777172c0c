"""The table of published values itself."""

import ast
from pathlib import Path

import pytest

from pipeline.protocols.groups import Group, ValueOf, fields_of, rows
from pipeline.protocols.snapshot import Published

ROOT = Path(__file__).parents[3]
TABLE = {row.path: row for row in rows(Published)}
CLIENTS_RELY_ON = (
    *("revision", "image", "image_unit", "accumulated_number", "pixel_size", "detector"),
    *("preview/mean", "preview/max", "preview/binning"),
    *("roi_means/<roi>", "x", "x_label"),
    *(f"step_means/<roi>/{name}" for name in ("x", "y", "y_errors", "n")),
    *(f"photons/{name}" for name in ("count", "pileup_fraction", "hit_density", "skipped_frames")),
    *(f"photons/{name}" for name in ("trusted", "reason", "filename")),
    *("energy_histogram/energy", "energy_histogram/counts"),
    *("azimuthal/q", "azimuthal/intensity", "azimuthal/intensity_errors", "geometry/poni"),
    *("scan/number", "scan/title", "scan/filename", "scan/movables/<movable>"),
    *("health/frames", "health/failed_frames", "health/last_error"),
)


def groups(kind: type[Group]) -> list[type[Group]]:
    below = [f.kind for f in fields_of(kind) if f.is_group]
    return [kind, *(found for child in below for found in groups(child))]


@pytest.mark.parametrize("path", CLIENTS_RELY_ON)
def test_names_that_clients_rely_on_stay(path: str) -> None:
    assert path in TABLE


@pytest.mark.parametrize("kind", groups(Published), ids=lambda kind: kind.__name__)
def test_attributes_name_fields_that_are_there(kind: type[Group]) -> None:
    fields = {f.name: f for f in fields_of(kind)}
    inline = [f for child in fields.values() if child.info.inline for f in fields_of(child.kind)]
    plotted = {kind.nexus[key] for key in ("signal", "default") if key in kind.nexus}
    assert plotted <= {*fields, *(f.name for f in inline)}
    assert {*kind.nexus.get("axes", ())} <= fields.keys()
    for f in fields.values():
        of = {part.field for part in f.info.attributes.values() if isinstance(part, ValueOf)}
        assert of <= fields.keys()


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE.keys())
def test_every_value_is_explained(row) -> None:
    assert row.meaning.endswith(".")
    assert bool(row.shape) == row.type.endswith("array")


def test_no_published_path_stands_anywhere_else() -> None:
    """Names of one word mean other things elsewhere too, such as a camera's `image` message."""
    paths = {path for path in TABLE if "/" in path or "_" in path}
    protocols = ROOT / "pipeline" / "protocols"
    table_and_paths = [*(protocols / "snapshot").glob("*.py"), protocols / "published_paths.py"]
    found = []
    for room in ("pipeline", "femtotango"):
        for file in (ROOT / room).rglob("*.py"):
            if file in table_and_paths:
                continue
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Constant) and node.value in paths:
                    found.append(f"{file.relative_to(ROOT)}:{node.lineno}: {node.value}")
    assert not found
