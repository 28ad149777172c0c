"""A photon file is what its raw file gives, or the frames that differ are named."""

import json
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from support import post

from pipeline.model.frame_ranges import FrameRanges
from pipeline.postprocessing.errors import BadRawFile
from pipeline.postprocessing.photon_list import PhotonListFile
from pipeline.postprocessing.pool import Pool
from pipeline.postprocessing.verify import Verdict, find_series, verify
from pipeline.protocols.stins import stins_header, stins_series
from pipeline.simulation.raw_file import write_raw_file

COLUMNS = ("y", "x", "energy", "flags", "frame")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a photon file that live has written, with its raw file."""
    folder = tmp_path_factory.mktemp("verify")
    images = post.frames(post.BALOR, 30)
    images[17][:] = 5000
    raw = post.raw_file(folder / "raw" / "scan.h5", post.BALOR, images)
    post.live(raw, post.BALOR, images)
    return folder


@pytest.fixture
def xye(original: Path, tmp_path: Path) -> Path:
    shutil.copytree(original, tmp_path, dirs_exist_ok=True)
    return tmp_path / "process" / "scan_xye.h5"


def verified(path: Path, pool: Pool, raw: Path | None = None) -> Verdict:
    with closing(PhotonListFile(path)) as file:
        return verify(file, find_series(file, raw), pool)


def ranges(*numbers: int) -> FrameRanges:
    return FrameRanges((number, number) for number in numbers)


def change(path: Path, how: Callable[[Any], None]) -> None:
    with h5py.File(path, "r+") as file:
        how(file["entry"])


def test_what_live_has_written_is_proven(xye, pool):
    verdict = verified(xye, pool)
    assert verdict.same, (verdict.problems, verdict.details)
    assert verdict.complete
    assert verdict.proven == FrameRanges([(0, 29)])
    assert verdict.photons > 100
    # The link leads to the raw file beside it, not to that of the original.
    assert verdict.raw.startswith(str(xye.parents[1]))


@pytest.mark.parametrize("column", ["y", "x", "energy", "flags"])
def test_one_bit_of_one_photon(column, xye, pool):
    def flip(entry: Any) -> None:
        values = entry[f"photons/{column}"]
        bits = values[40:41].view(np.uint8).copy()
        bits[0] ^= 1
        values[40:41] = bits.view(values.dtype)
        flip.frame = int(entry["photons/frame"][40])

    change(xye, flip)
    verdict = verified(xye, pool)
    assert not verdict.same
    assert verdict.differ == ranges(flip.frame)
    assert column in verdict.details[0]


def drop_rows(table: Any, names: tuple[str, ...], keep: np.ndarray) -> None:
    for name in names:
        values = table[name][()][keep]
        table[name].resize(len(values), axis=0)
        table[name][:] = values


def test_one_frame_that_is_gone_with_its_photons(xye, pool):
    def drop(entry: Any) -> None:
        drop_rows(entry["photons"], COLUMNS, entry["photons/frame"][()] != 9)
        rows = entry["frames/frame"][()] != 9
        drop_rows(entry["frames"], ("frame", "status", "photons"), rows)

    change(xye, drop)
    verdict = verified(xye, pool)
    assert verdict.differ == verdict.missing == ranges(9)
    assert "not in the file" in verdict.details[0]


def test_one_row_of_a_frame_that_is_gone(xye, pool):
    def drop(entry: Any) -> None:
        rows = entry["frames/frame"][()] != 9
        drop_rows(entry["frames"], ("frame", "status", "photons"), rows)

    change(xye, drop)
    verdict = verified(xye, pool)
    assert verdict.differ == ranges(9)
    assert "without a row: 9" in verdict.problems[0]


def test_one_photon_that_is_gone(xye, pool):
    def drop(entry: Any) -> None:
        drop.frame = int(entry["photons/frame"][50])
        keep = np.ones(len(entry["photons/frame"]), bool)
        keep[50] = False
        drop_rows(entry["photons"], COLUMNS, keep)

    change(xye, drop)
    assert verified(xye, pool).differ == ranges(drop.frame)


def test_frames_in_another_order(xye, pool):
    def swap(entry: Any) -> None:
        frame = entry["photons/frame"][()]
        order = np.argsort(np.where(frame == 3, 4.5, frame), kind="stable")
        for name in COLUMNS:
            entry[f"photons/{name}"][:] = entry[f"photons/{name}"][()][order]

    change(xye, swap)
    verdict = verified(xye, pool)
    assert verdict.problems == ["photons of frame 4 stand before those of frame 3"]
    assert not verdict.differ


def test_a_frame_marked_as_not_searched(xye, pool):
    def mark(entry: Any) -> None:
        entry["frames/status"][5] = 3
        entry["frames/photons"][5] = 0

    change(xye, mark)
    verdict = verified(xye, pool)
    assert verdict.differ == ranges(5)
    assert "not searched" in verdict.details[0]


def test_a_frame_marked_as_searched_that_was_too_dense(xye, pool):
    change(xye, lambda entry: entry["frames/status"].__setitem__(17, 0))
    verdict = verified(xye, pool)
    assert verdict.differ == ranges(17)
    assert "too dense" in verdict.details[0]


@pytest.mark.parametrize("name, value", [("energy_threshold", 801.0), ("view_threshold", 1.0)])
def test_one_setting_in_the_text(name, value, xye, pool):
    def edit(entry: Any) -> None:
        values = json.loads(entry["process/parameters"][()])
        values[name] = value
        entry["process/parameters"][()] = json.dumps(values)

    change(xye, edit)
    verdict = verified(xye, pool)
    assert not verdict.same
    assert name in verdict.problems[0]


def test_one_setting_among_the_attributes(xye, pool):
    def edit(entry: Any) -> None:
        entry["process/parameters"].attrs["background"] = 101.0

    change(xye, edit)
    assert "background" in verified(xye, pool).problems[0]


def test_one_setting_everywhere(xye, pool):
    def edit(entry: Any) -> None:
        for dataset, row in (
            (entry["process/parameters"], ()),
            (entry["process/changes/settings"], 0),
        ):
            values = json.loads(dataset[row])
            values["background"] = 101.0
            dataset[row] = json.dumps(values).encode()
        entry["process/parameters"].attrs["background"] = 101.0

    change(xye, edit)
    verdict = verified(xye, pool)
    assert verdict.problems == []
    assert verdict.differ.count > 20


def test_the_photon_roi(xye, pool):
    change(xye, lambda entry: entry["photon_roi"].__setitem__(0, 5))
    assert "photon_roi" in verified(xye, pool).problems[0]


def test_the_histogram(xye, pool):
    change(xye, lambda entry: entry["energy_histogram/counts"].__setitem__(120, 7_000))
    assert "histogram" in verified(xye, pool).problems[0]


def test_a_file_whose_writer_was_killed(xye, pool):
    def cut(entry: Any) -> None:
        entry["complete"][()] = 0
        rows = np.arange(30) < 21
        drop_rows(entry["frames"], ("status", "photons"), rows)
        last = int((entry["photons/frame"][()] < 20).sum()) + 2
        for name in COLUMNS:
            entry[f"photons/{name}"].resize(last + (name == "y"), axis=0)

    change(xye, cut)
    verdict = verified(xye, pool)
    assert not verdict.complete
    assert verdict.proven == FrameRanges([(0, 19)])
    assert verdict.differ == FrameRanges([(20, 29)])
    assert verdict.missing == FrameRanges([(21, 29)])


def test_a_file_that_only_was_not_closed(xye, pool):
    change(xye, lambda entry: entry["complete"].__setitem__((), 0))
    verdict = verified(xye, pool)
    assert verdict.same and not verdict.complete


def test_settings_that_changed_in_the_scan(tmp_path, pool):
    images = post.frames(post.BALOR, 20)
    raw = post.raw_file(tmp_path / "raw" / "scan.h5", post.BALOR, images)
    post.live(raw, post.BALOR, images, changes={8: {"energy_threshold": 1210.0}})
    verdict = verified(tmp_path / "process" / "scan_xye.h5", pool)
    assert verdict.same, (verdict.problems, verdict.details)
    assert verdict.proven.count == 20


def test_the_right_series_of_several(tmp_path, pool):
    raw = tmp_path / "raw" / "scan.h5"
    for seed in (0, 1):
        images = post.frames(post.BALOR, 12, seed)
        post.raw_file(raw, post.BALOR, images)
        post.live(raw, post.BALOR, images)
    for name in ("scan_xye.h5", "scan_xye_1.h5"):
        verdict = verified(tmp_path / "process" / name, pool)
        assert verdict.same, (name, verdict.details)


def test_another_raw_file_and_one_that_is_gone(xye, pool):
    raw = xye.parents[1] / "raw" / "scan.h5"
    moved = raw.with_name("moved.h5")
    raw.rename(moved)
    with closing(PhotonListFile(xye)) as file:
        # That of the original, from the path in the file, is still there.
        assert find_series(file, moved).raw == str(moved)
    change(xye, lambda entry: entry["raw_file"].__setitem__((), str(raw)))
    with closing(PhotonListFile(xye)) as file, pytest.raises(BadRawFile, match=r"verify .* RAW"):
        find_series(file, None)


def test_what_is_no_photon_file(tmp_path):
    raw = post.raw_file(tmp_path / "a.h5", post.BALOR, post.frames(post.BALOR, 1))
    for path in (raw, tmp_path / "none.h5"):
        with pytest.raises(BadRawFile):
            PhotonListFile(path)


def test_frames_that_came_late_or_never(tmp_path, pool):
    images = post.frames(post.BALOR, 12)
    messages = list(stins_series(images, "", {}))
    messages[3], messages[4] = messages[4], messages[3]
    del messages[9]
    raw = tmp_path / "raw" / "scan.h5"
    raw.parent.mkdir()
    messages[0] = stins_header(0, str(raw), {})
    write_raw_file(raw, post.BALOR, messages)
    post.live_messages(messages, post.BALOR)
    verdict = verified(tmp_path / "process" / "scan_xye.h5", pool)
    assert verdict.same, (verdict.problems, verdict.details)
    assert verdict.not_saved == ranges(8)
    assert verdict.proven.count == 11
