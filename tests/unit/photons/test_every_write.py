"""Whatever the write at which a process is killed: the file opens, and nothing in it is made up."""

import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from support.photons import PHOTON_SETTINGS, photon_frame
from support.repeats import repeats

from pipeline.files import hdf5_bytes, hdf5_chunk_index
from pipeline.photons.detection import finding_settings
from pipeline.photons.list_columns import FrameRow
from pipeline.photons.list_file import PhotonFile
from pipeline.protocols.batch import FrameStatus

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

FRAMES = repeats(80, 200)

READER = """
import os, pickle, shutil, sys
import h5py
import numpy as np

start, log, truth = sys.argv[1:4]
copy = start + ".copy"
shutil.copy(start, copy)
with open(log, "rb") as f:
    writes = pickle.load(f)
with open(truth, "rb") as f:
    truth = pickle.load(f)
tables = {
    "photons": ("frame", "y", "x", "energy", "flags"),
    "frames": ("frame", "status", "photons"),
    "process/changes": ("frame", "settings"),
}
tried = 0


def look(what):
    global tried
    tried += 1
    try:
        objects = []
        with h5py.File(copy, "r") as file:
            # The raw file is elsewhere: that link is not followed.
            file.visititems(lambda name, found: objects.append((name, found)))
            assert len(objects) == truth["objects"], (len(objects), truth["objects"])
            for _, found in objects:
                dict(found.attrs)
                if isinstance(found, h5py.Dataset):
                    found[()]
            for table, names in tables.items():
                columns = {name: file["entry"][table][name][()] for name in names}
                rows = min(len(column) for column in columns.values())
                for name, column in columns.items():
                    expected = truth["tables"][table][name]
                    if table == "frames" and name != "frame":
                        # A frame that never came may have come after all.
                        late = truth["late"]
                        same = [v == e or (i in late and v == late[i][name])
                                for i, (v, e) in enumerate(zip(column[:rows], expected))]
                        assert all(same) and len(same) == rows, (table, name)
                    else:
                        assert np.array_equal(column[:rows], expected[:rows]), (table, name)
            assert file["entry/complete"][()] in (0, 1)
            return rows
    except Exception as error:
        print("UNREADABLE", what, repr(error), flush=True)
        sys.exit(1)


fd = os.open(copy, os.O_RDWR)
look("as made")
for number, (place, data) in enumerate(writes):
    if place is None:
        os.ftruncate(fd, data)
    else:
        if len(data) > 8:
            # Torn in the middle: what was there before stays behind the cut.
            cut = 1 + number % (len(data) - 1)
            os.pwrite(fd, data[:cut], place)
            look((number, place, cut))
        os.pwrite(fd, data, place)
    look((number, place, len(data) if place is not None else data))
print(tried)
"""


def life(rng: np.random.Generator) -> list[list[FrameRow]]:
    """Return what is written together: three changes of settings, some frames lost."""
    batches = []
    settings = PHOTON_SETTINGS
    lost = []
    for frame in range(FRAMES):
        if frame in (FRAMES // 4, FRAMES // 4 + 1, FRAMES * 3 // 5):
            settings = settings.replaced("energy_threshold", float(500 + frame))
        text = finding_settings(settings)
        if frame % 17 == 7:
            row = FrameRow(frame, FrameStatus(1 + frame % 5), None, text)
            lost += [frame] * (row.status is FrameStatus.NEVER_CAME)
        else:
            photons = photon_frame(rng, int(rng.integers(0, 9))).photons
            flags = rng.integers(0, 8, len(photons)).astype(np.uint8)
            row = FrameRow(frame, FrameStatus.SEARCHED, replace(photons, flags=flags), text)
        if batches and frame % 7:
            batches[-1].append(row)
        else:
            batches.append([row])
    assert lost
    came = photon_frame(rng, 3).photons
    batches.append([FrameRow(lost[0], FrameStatus.SEARCHED, came, text)])
    return batches


def truth_of(batches: list[list[FrameRow]]) -> dict:
    photons: dict[str, list] = {name: [] for name in ("frame", "y", "x", "energy", "flags")}
    frames: dict[str, list] = {"frame": [], "status": [], "photons": []}
    changes: dict[str, list] = {"frame": [], "settings": []}
    late = {}
    for row in (row for batch in batches for row in batch):
        count = len(row.photons or ())
        if row.frame in frames["frame"]:
            late[frames["frame"].index(row.frame)] = {"status": row.status.value, "photons": count}
        else:
            for name, value in zip(frames, (row.frame, row.status.value, count), strict=True):
                frames[name].append(value)
        if not changes["settings"] or changes["settings"][-1] != row.settings.encode():
            changes["frame"].append(row.frame)
            changes["settings"].append(row.settings.encode())
        if row.photons is not None:
            photons["frame"] += [row.frame] * count
            for name in ("y", "x", "energy", "flags"):
                photons[name] += getattr(row.photons, name).tolist()
    assert len(changes["frame"]) == 4
    tables = {"photons": photons, "frames": frames, "process/changes": changes}
    return {
        "late": late,
        "tables": {
            table: {name: np.array(values) for name, values in columns.items()}
            for table, columns in tables.items()
        },
    }


def record(monkeypatch, file_path: Path) -> list[tuple[int | None, bytes | int]]:
    """Note each write to a file."""
    writes: list[tuple[int | None, bytes | int]] = []
    pwrite, ftruncate = os.pwrite, os.ftruncate
    inode = file_path.stat().st_ino

    def note_write(fd: int, data: memoryview, place: int) -> int:
        assert os.fstat(fd).st_ino == inode
        writes.append((place, bytes(data)))
        return pwrite(fd, data, place)

    def note_truncate(fd: int, size: int) -> None:
        writes.append((None, size))
        ftruncate(fd, size)

    monkeypatch.setattr(os, "pwrite", note_write)
    monkeypatch.setattr(os, "ftruncate", note_truncate)
    return writes


def test_every_prefix_of_a_file_s_life_can_be_read(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(hdf5_chunk_index, "_CAPACITY", 4)  # small nodes: indices of several levels
    monkeypatch.setattr(hdf5_bytes, "_STEP", 4096)
    batches = life(np.random.default_rng(0))
    file = PhotonFile(str(tmp_path / "raw" / "s.h5"), "andor3_balor", PHOTON_SETTINGS, chunk=4)
    start = tmp_path / "start.h5"
    start.write_bytes(file.path.read_bytes())
    with monkeypatch.context() as patch:
        writes = record(patch, file.path)
        for batch in batches[:-1]:
            file.write(batch)
        levels = len(file._open._columns["entry/photons/x"].index.nodes)
        file.close(False)
        file.write(batches[-1])
        file.close(True)
    assert levels >= 4
    truth = truth_of(batches)
    with h5py.File(file.path) as seen:
        objects: list[str] = []
        seen.visit(objects.append)
        truth["objects"] = len(objects)
        assert seen["entry/complete"][()] == 1
        energy = truth["tables"]["photons"]["energy"]
        assert seen["entry/energy_histogram/counts"][()].sum() == len(energy)
        np.testing.assert_array_equal(seen["entry/photons/energy"][()], energy)
    (tmp_path / "log").write_bytes(pickle.dumps(writes))
    (tmp_path / "truth").write_bytes(pickle.dumps(truth))
    result = subprocess.run(
        [sys.executable, "-c", READER, start, tmp_path / "log", tmp_path / "truth"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    with capsys.disabled():
        print(
            f"\n{len(writes)} writes of {FRAMES} frames, index of {levels} levels: "
            f"{int(result.stdout)} prefixes tried, torn writes among them, all readable"
        )
