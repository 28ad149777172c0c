"""What real runs publish is what the table says, and dranspose can serve it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5pyd
import numpy as np
import pytest
from support.dispatch import Dispatch, Stream, header, image, parameters, sardana, series_end
from support.published import published
from support.waiting import wait_for

from pipeline.protocols.groups import Row, rows
from pipeline.protocols.packed_datasets import RoiCurves
from pipeline.protocols.packing import unpack
from pipeline.protocols.published_paths import CURVES, SNAPSHOT, SNAPSHOT_WITH_CURVES
from pipeline.protocols.snapshot import Published
from pipeline.protocols.tree import ATTRIBUTES, leaves, read_group
from pipeline.simulation.balor import stream_balor_frames

TABLE = tuple(rows(Published))
SHAPE = (120, 160)
REGION = json.dumps({"x": 20, "y": 10, "width": 120, "height": 100})
ROIS = json.dumps({"all": {"x": 0, "y": 0, "width": 160, "height": 120}})
GEOMETRY = {"photon_energy": 13.5, "distance": 0.1, "azimuthal_bins": 5}


def scan(run: Dispatch, stream: str, frames: list[np.ndarray], raw: Path) -> None:
    run.new_scan()
    description = sardana("DataDescription", ref_moveables=["m/1", "n"], title="mesh", serialno=42)
    run.to_all(sardana=description, **{stream: header(str(raw), save_raw=True)})
    for number, frame in enumerate(frames):
        record = sardana("RecordData", timestamp=0.1, **{"m/1": number, "n": 0})
        run.to_one(sardana=record, **{stream: image(number, frame)})
    run.to_one(**{stream: Stream("STINS", [b"\xff"])})
    run.to_all(sardana=sardana("RecordEnd"), **{stream: series_end()})
    run.deliver()
    run.reducer.timer(parameters(run.settings[0]))
    wait_for(lambda: run.published["health"]["settled"], "file and curve are up to date")


def photon_run(tmp_path: Path) -> Dispatch:
    frames = stream_balor_frames(np.random.default_rng(0), SHAPE, 1e-3, hot_pixels=3)
    run = Dispatch(2)
    run.change(accumulate=True, photon_roi=REGION, rois=ROIS, **GEOMETRY)
    scan(run, "andor3_balor", [next(frames)[0] for _ in range(8)], tmp_path / "raw" / "a.h5")
    return run


def plain_run(tmp_path: Path) -> Dispatch:
    run = Dispatch(2)
    run.change(accumulate=True, rois=ROIS)
    frames = [np.ones(SHAPE, np.float32) for _ in range(3)]
    frames[1][0, 0] = -1  # masked in some frames only
    scan(run, "pilatus", frames, tmp_path / "raw" / "a.h5")
    return run


def published_values(tree: dict[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if name.endswith(ATTRIBUTES):
            continue
        if isinstance(value, dict):
            yield from published_values(value, f"{path}{name}/")
        else:
            yield path + name, value


def row_of(path: str) -> Row:
    parts = path.split("/")
    for row in TABLE:
        pattern = row.path.split("/")
        if len(pattern) == len(parts) and all(
            part == name or part.startswith("<") for part, name in zip(pattern, parts, strict=True)
        ):
            return row
    raise AssertionError(f"{path} is not in the table")


def check_type(row: Row, value: Any) -> None:
    if row.type in ("int", "float", "str"):
        assert type(value).__name__ == row.type, row.path
    elif row.type == "list of str":
        assert type(value) is list and all(type(item) is str for item in value), row.path
    else:
        assert np.asarray(value).dtype.name in row.type.removesuffix(" array").split(" or ")
        assert np.asarray(value).ndim == row.shape.split(")")[0].rstrip(",").count(",") + 1


def test_runs_publish_the_paths_and_types_of_the_table(tmp_path: Path) -> None:
    seen = set()
    for run in (Dispatch(1), plain_run(tmp_path / "plain"), photon_run(tmp_path / "photons")):
        for path, value in published_values(run.published):
            check_type(row_of(path), value)
            seen.add(row_of(path).path)
    assert seen == {row.path for row in TABLE}


@pytest.mark.parametrize("make", [lambda _: Dispatch(1), plain_run, photon_run])
def test_the_snapshot_is_the_tree(make, tmp_path: Path) -> None:
    tree = make(tmp_path).published
    read = leaves(read_group(Published, np.asarray(tree[SNAPSHOT]).tobytes()))
    shown = {p: v for p, v in published_values(tree) if not row_of(p).rendered}
    assert read.keys() == shown.keys()
    for path, value in shown.items():
        np.testing.assert_array_equal(read[path], value, err_msg=path)


def test_curves_are_those_of_the_tree(tmp_path: Path) -> None:
    tree = plain_run(tmp_path).published
    curves = read_group(RoiCurves, np.asarray(tree[CURVES]).tobytes())
    assert curves.names == ("all",)
    np.testing.assert_array_equal(curves.x, tree["x"])
    np.testing.assert_array_equal(curves.means[0], tree["step_means"]["all"]["y"])


def test_snapshot_and_curves_are_packed_together_too(tmp_path: Path) -> None:
    tree = plain_run(tmp_path).published
    both = unpack(np.asarray(tree[SNAPSHOT_WITH_CURVES]).tobytes())
    for name in (SNAPSHOT, CURVES):
        for path, value in unpack(np.asarray(tree[name]).tobytes()).items():
            np.testing.assert_array_equal(both.pop(f"{name}/{path}"), value)
    assert not both


def test_h5pyd_reads_it_with_units_and_axes(tmp_path: Path) -> None:
    with (
        published(photon_run(tmp_path).published) as address,
        h5pyd.File("/", "r", endpoint=address, username="", password="") as file,
    ):
        assert file.attrs["default"] == "accumulated"
        assert file["image"].attrs["units"] == "counts"
        assert file["preview/mean"].attrs["units"] == "counts"
        assert file["energy_histogram"].attrs["signal"] == "counts"
        assert file["azimuthal/q"].attrs["units"] == "1/angstrom"
        assert file["pixel_size"].attrs["units"] == "m"
        assert file["step_means/all/x"].attrs["long_name"] == "m/1"
        assert list(file["scan/movables"]) == ["m_1", "n"]
        assert file["scan/number"][()] == 42


@pytest.mark.parametrize("accumulate", [False, True])
@pytest.mark.parametrize("stream", ["pilatus", "andor3_zyla10", "andor3_balor"])
@pytest.mark.parametrize("dtype", [kind + size for kind in "iu" for size in "1248"] + list("efd"))
def test_frames_of_any_type_can_be_read(dtype: str, stream: str, accumulate: bool) -> None:
    run = Dispatch(1)
    run.change(accumulate=accumulate, background=0.0, cmos_threshold=0.0)
    run.to_all(**{stream: header()})
    pixels = np.array([[1, 2, 3], [4, 5, 100]]).astype(dtype)
    for number in range(2):
        run.to_one(**{stream: image(number, pixels)})
    run.to_all(**{stream: series_end()})
    run.deliver()
    tree = run.published
    assert tree["health"]["failed_frames"] == 0
    expected = pixels.astype(float) * (2 if accumulate else 1)
    np.testing.assert_array_equal(np.asarray(tree["image"]), expected)
    for _, value in published_values(tree):
        np.asarray(value)


def test_a_forwarded_frame_has_its_settings() -> None:
    run = Dispatch(1)
    run.change(background=77.0)
    run.to_all(andor3_zyla10=header())
    run.to_one(andor3_zyla10=image(0, np.full((4, 5), 300, np.uint16)))
    run.to_all(andor3_zyla10=series_end())
    run.deliver()
    assert json.loads(run.published["sum_settings"])["background"] == 77.0
