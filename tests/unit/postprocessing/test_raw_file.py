"""Raw files in all forms and states: what is read, and what is said when it cannot be."""

import json
import subprocess
import sys
from pathlib import Path

import h5py
import hdf5plugin
import numpy as np
import pytest
from support import post

from pipeline.postprocessing.errors import BadRawFile, BadSettings, StillWritten
from pipeline.postprocessing.raw_file import RawSeries, read_series
from pipeline.postprocessing.raw_frame import BadChunk
from pipeline.protocols.stins import StinsFrame, parse, stins_series
from pipeline.simulation.raw_file import write_raw_file

DATA = "entry/instrument/andor3_balor/data"


def images(series: RawSeries) -> list[np.ndarray]:
    found = []
    for frame in series.frames:
        content = parse(frame.read())
        assert isinstance(content, StinsFrame)
        assert content.frame == frame.number
        found.append(content.image)
    return found


def one(path: Path, **more: str) -> RawSeries:
    (series,) = read_series(path, **more)
    return series


@pytest.mark.parametrize("chunk", [None, (96, 40), (50, 128), (17, 33)])
@pytest.mark.parametrize("compression", ["none", "bslz4"])
@pytest.mark.parametrize("stream", [post.BALOR, post.PILATUS])
def test_files_of_the_receiver(stream, compression, chunk, tmp_path):
    frames = post.frames(stream, 3)
    path = post.raw_file(tmp_path / "a.h5", stream, frames, compression, chunk=chunk)
    series = one(path)
    assert (series.stream, series.name, series.raw) == (stream, "a", str(path))
    assert series.shape == post.SHAPE
    assert series.camera == post.CAMERA
    assert series.notes == ()
    np.testing.assert_array_equal(images(series), frames)
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file[f"entry/instrument/{stream}/data"][()], frames)


def test_a_later_series_is_one_of_its_own(tmp_path):
    first, second = post.frames(post.BALOR, 5), post.frames(post.BALOR, 3, seed=1)
    path = post.raw_file(tmp_path / "a.h5", post.BALOR, first)
    post.raw_file(path, post.BALOR, second)
    found = read_series(path)
    assert [len(series.frames) for series in found] == [5, 3]
    assert [series.part for series in found] == [0, 1]
    np.testing.assert_array_equal(images(found[1]), second)


def test_a_late_frame_is_none(tmp_path):
    messages = list(stins_series(post.frames(post.BALOR, 5), str(tmp_path), {}))
    messages[2], messages[3] = messages[3], messages[2]
    write_raw_file(tmp_path / "a.h5", post.BALOR, messages)
    assert [frame.number for frame in one(tmp_path / "a.h5").frames] == [0, 2, 1, 3, 4]


def test_several_cameras_in_a_file(tmp_path):
    path = post.raw_file(tmp_path / "a.h5", post.BALOR, post.frames(post.BALOR, 2))
    post.raw_file(path, post.PILATUS, post.frames(post.PILATUS, 4))
    found = {series.stream: series for series in read_series(path)}
    assert {name: len(series.frames) for name, series in found.items()} == {
        post.BALOR: 2,
        post.PILATUS: 4,
    }
    assert found[post.PILATUS].name == "a_pilatus"
    assert one(path, camera=post.PILATUS).name == "a"


def test_numbers_of_frames_that_are_not_saved_are_left_out(tmp_path):
    messages = list(stins_series(post.frames(post.BALOR, 5), str(tmp_path), {}))
    del messages[2]
    write_raw_file(tmp_path / "a.h5", post.BALOR, messages)
    assert [frame.number for frame in one(tmp_path / "a.h5").frames] == [0, 2, 3, 4]


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"chunks": (1, 96, 128), "compression": "gzip"},
        {"chunks": (4, 30, 128)},
        {"chunks": (1, 96, 128), **hdf5plugin.Bitshuffle(nelems=256, cname="lz4")},
        {"chunks": (1, 96, 128), **hdf5plugin.Bitshuffle(nelems=0, cname="zstd")},
        {"chunks": (1, 96, 128), **hdf5plugin.Bitshuffle(nelems=0, cname="lz4")},
        {"chunks": (1, 96, 128), **hdf5plugin.Blosc()},
    ],
    ids=["contiguous", "gzip", "four-a-chunk", "own-blocks", "bszstd", "bslz4", "blosc"],
)
@pytest.mark.parametrize("dtype", ["<u2", ">u2", "<i4", "<f4"])
def test_what_other_programs_write(how, dtype, tmp_path):
    frames = np.array(post.frames(post.BALOR, 6)).astype(dtype)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("some/where/frames", data=frames, **how)
    series = one(tmp_path / "a.h5", camera=post.BALOR, dataset="/some/where/frames")
    assert [frame.number for frame in series.frames] == list(range(6))
    np.testing.assert_array_equal(images(series), frames)


def eiger(folder: Path) -> np.ndarray:
    frames = np.array(post.frames(post.BALOR, 7))
    with h5py.File(folder / "a_master.h5", "w") as master:
        for number, part in enumerate((frames[:4], frames[4:]), start=1):
            name = f"a_data_{number:06}.h5"
            with h5py.File(folder / name, "w") as file:
                options = hdf5plugin.Bitshuffle(nelems=0, cname="lz4")
                file.create_dataset("entry/data/data", data=part, chunks=(1, 96, 128), **options)
            link = h5py.ExternalLink(name, "/entry/data/data")
            master[f"entry/data/data_{number:06}"] = link
    return frames


def test_master_files_with_external_links(tmp_path):
    frames = eiger(tmp_path)
    series = one(tmp_path / "a_master.h5", camera=post.BALOR)
    np.testing.assert_array_equal(images(series), frames)
    assert [frame.number for frame in series.frames] == list(range(7))
    assert not any(frame.layout.by_hdf5 for frame in series.frames)


def test_a_linked_file_that_is_not_there_is_named(tmp_path):
    eiger(tmp_path)
    (tmp_path / "a_data_000002.h5").unlink()
    with pytest.raises(BadRawFile, match=r"a_data_000002\.h5"):
        read_series(tmp_path / "a_master.h5", post.BALOR)


def test_virtual_datasets(tmp_path):
    frames = eiger(tmp_path)
    layout = h5py.VirtualLayout(frames.shape, frames.dtype)
    for name, part in (("a_data_000001.h5", slice(0, 4)), ("a_data_000002.h5", slice(4, 7))):
        shape = (part.stop - part.start, *post.SHAPE)
        layout[part] = h5py.VirtualSource(name, "entry/data/data", shape)
    with h5py.File(tmp_path / "all.h5", "w") as file:
        file.create_virtual_dataset(DATA, layout)
    np.testing.assert_array_equal(images(one(tmp_path / "all.h5")), frames)
    (tmp_path / "a_data_000002.h5").unlink()
    with pytest.raises(BadRawFile, match=r"a_data_000002\.h5"):
        read_series(tmp_path / "all.h5")


def test_settings_of_any_kind_do_no_harm(tmp_path):
    path = post.raw_file(tmp_path / "a.h5", post.BALOR, post.frames(post.BALOR, 1))
    with h5py.File(path, "r+") as file:
        group = file["entry/instrument/andor3_balor"]
        group["empty"] = h5py.Empty("f4")
        group["pair"] = np.array((1, 2.5), [("a", "i4"), ("b", "f4")])
        group["names"] = ["x", "y"]
        group["gone"] = h5py.SoftLink("/nowhere")
    found = one(path).camera
    assert found["names"] == ["x", "y"]
    assert json.dumps(found)


def test_the_camera_must_be_known(tmp_path):
    path = post.raw_file(tmp_path / "a.h5", "zyla", post.frames(post.ZYLA, 2))
    with pytest.raises(BadSettings, match="--camera"):
        read_series(path)
    with pytest.raises(BadSettings, match="andor3_zyla10"):
        read_series(path, "zyla")
    assert one(path, camera=post.ZYLA).stream == post.ZYLA


def test_a_file_that_is_cut_off_gives_the_frames_that_are_whole(tmp_path):
    frames = post.frames(post.BALOR, 5)
    path = post.raw_file(tmp_path / "a.h5", post.BALOR, frames)
    place = one(path).frames[4].pieces[0]
    with path.open("rb+") as file:
        file.truncate(place.offset + place.size // 2)
    series = one(path)
    assert "cut off" in series.notes[0]
    for frame, image in zip(series.frames[:4], frames, strict=False):
        np.testing.assert_array_equal(parse(frame.read()).image, image)
    with pytest.raises(BadChunk, match="frame 4 is cut off"):
        series.frames[4].read()


def test_a_chunk_that_was_never_written_is_told(tmp_path):
    path = post.raw_file(tmp_path / "a.h5", post.BALOR, post.frames(post.BALOR, 3))
    with h5py.File(path, "r+") as file:
        file[DATA].resize(4, axis=0)
    series = one(path)
    assert "4 frames and 3 numbers" in series.notes[0]
    assert series.frames[3].number == 3
    with pytest.raises(BadChunk, match="frame 3 was never written"):
        series.frames[3].read()


def test_a_damaged_chunk_is_told(tmp_path):
    path = post.raw_file(tmp_path / "a.h5", post.BALOR, post.frames(post.BALOR, 2), chunk=(48, 128))
    piece = one(path).frames[1].pieces[0]
    with path.open("rb+") as file:
        file.seek(piece.offset + 12)
        file.write(b"\x7f" * 40)
    with pytest.raises(BadChunk, match="frame 1"):
        one(path).frames[1].read()


def test_a_file_that_is_still_written(tmp_path):
    path = post.raw_file(tmp_path / "a.h5", post.BALOR, post.frames(post.BALOR, 2))
    code = "import h5py, sys; f = h5py.File(sys.argv[1], 'a'); print('open', flush=True); input()"
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdin and writer.stdout
        assert writer.stdout.readline() == b"open\n"
        with pytest.raises(StillWritten, match="open for writing"):
            read_series(path)
        writer.stdin.close()
    assert len(read_series(path)) == 1


def test_a_file_that_is_still_written_with_swmr(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file.create_dataset(DATA, (1, 4, 4), "u2", maxshape=(None, 4, 4))
        file.swmr_mode = True
        copy = tmp_path / "copy.h5"
        copy.write_bytes(path.read_bytes())
    with pytest.raises(StillWritten, match="h5clear"):
        read_series(copy)


def test_a_filter_that_is_missing_is_named(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plan.set_chunk((1, 4, 4))
        plan.set_filter(h5py.h5z.FILTER_DEFLATE, 0, (1,))
        space = h5py.h5s.create_simple((1, 4, 4))
        group = file.create_group("entry/instrument/andor3_balor")
        h5py.h5d.create(group.id, b"data", h5py.h5t.STD_U16LE, space, plan)
    content = path.read_bytes()
    # The number of the filter, as it stands in its message: gzip becomes one that nobody has.
    old = b"\x01\x00\x08\x00\x00\x00\x01\x00deflate\x00"
    assert content.count(old) == 1
    path.write_bytes(content.replace(old, b"\x39\x30\x08\x00\x00\x00\x01\x00deflate\x00"))
    with pytest.raises(BadRawFile, match="filter 12345"):
        read_series(path)


def test_what_is_no_raw_file(tmp_path):
    with pytest.raises(BadRawFile, match="no such file"):
        read_series(tmp_path / "none.h5")
    text = tmp_path / "text.h5"
    text.write_text("hello")
    with pytest.raises(BadRawFile, match="no HDF5 file"):
        read_series(text)
    with pytest.raises(BadRawFile, match="is a folder"):
        read_series(tmp_path)
    with h5py.File(tmp_path / "empty.h5", "w"):
        pass
    with pytest.raises(BadRawFile, match="--dataset"):
        read_series(tmp_path / "empty.h5")
    with pytest.raises(BadRawFile, match="has no /nothing"):
        read_series(tmp_path / "empty.h5", dataset="/nothing")
