"""A sum of two or more frames that ends is saved."""

from pathlib import Path

import h5py
import numpy as np
from support.dispatch import Dispatch, header, image, parameters, sardana, series_end

from pipeline.diffraction.geometry import from_poni
from pipeline.reducer import sum_queue


def accumulate(run: Dispatch, frames: int) -> None:
    run.new_scan()
    run.to_all(pilatus=header())
    for number in range(frames):
        run.to_one(pilatus=image(number, np.full((4, 5), number, np.float32)))
    run.to_all(pilatus=series_end())
    run.deliver()


def tick(run: Dispatch, now: float) -> None:
    run.reducer._update_settings(parameters(run.settings[0]))
    work = run.reducer._background
    work.do_due_work(now)
    work._sums.wait()
    work.do_due_work(now)


def test_sums_are_saved_when_the_next_one_starts(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(sum_queue, "_GRACE", 0.0)
    run = Dispatch(2)
    run.change(accumulate=True, accumulation_id=1, output_folder=str(tmp_path))
    accumulate(run, 3)
    accumulate(run, 2)
    run.change(accumulation_id=2, background=77.0)
    tick(run, 1e9)
    (path,) = tmp_path.glob("*.h5")
    with h5py.File(path) as file:
        entry = file[file.attrs["default"]]
        data = entry[entry.attrs["default"]]
        saved = data[data.attrs["signal"]]
        np.testing.assert_array_equal(saved[()], np.full((4, 5), 0 + 1 + 2 + 0 + 1))
        assert saved.dtype == np.float64
        assert str(b"77.0") not in str(file["entry"].attrs.values())
    tick(run, 2e9)
    assert len(list(tmp_path.glob("*.h5"))) == 1


def test_a_stopped_sum_is_saved_once_it_is_quiet(tmp_path: Path) -> None:
    run = Dispatch(2)
    run.change(accumulate=True, accumulation_id=1, output_folder=str(tmp_path))
    accumulate(run, 4)
    run.change(accumulate=False)
    tick(run, 1e9)
    assert not list(tmp_path.glob("*.h5"))
    tick(run, 1e9 + 5)
    assert len(list(tmp_path.glob("*.h5"))) == 1


def test_a_sum_of_one_frame_is_not_saved(tmp_path: Path) -> None:
    run = Dispatch(1)
    run.change(accumulate=True, accumulation_id=1, output_folder=str(tmp_path))
    accumulate(run, 1)
    run.reducer.close()
    assert not list(tmp_path.glob("*"))


def test_the_sum_that_still_grows_is_saved_when_the_process_ends(tmp_path: Path) -> None:
    run = Dispatch(1)
    run.change(accumulate=True, accumulation_id=1, output_folder=str(tmp_path))
    accumulate(run, 2)
    run.reducer.close()
    assert len(list(tmp_path.glob("*.h5"))) == 1


def test_a_folder_that_is_not_there_is_an_alarm(tmp_path: Path) -> None:
    run = Dispatch(1)
    missing = tmp_path / "not" / "there"
    run.change(accumulate=True, accumulation_id=1, output_folder=str(missing))
    accumulate(run, 2)
    run.change(accumulate=False)
    tick(run, 1e9)
    tick(run, 1e9 + 5)
    (alarm,) = run.published["health"]["alarms"]
    assert str(missing) in alarm
    assert run.published["accumulated_number"] == 2


def test_a_sum_that_could_not_be_saved_is_tried_again(tmp_path: Path) -> None:
    run = Dispatch(1)
    folder = tmp_path / "later"
    run.change(accumulate=True, accumulation_id=1, output_folder=str(folder))
    accumulate(run, 3)
    run.change(accumulation_id=2)
    tick(run, 1e9)
    tick(run, 1e9 + 5)
    assert run.published["health"]["alarms"]
    folder.mkdir()
    tick(run, 1e9 + 20)
    assert len(list(folder.glob("*.h5"))) == 1
    assert not run.published["health"]["alarms"]


def test_the_geometry_is_the_one_that_is_set_when_a_sum_is_saved(tmp_path: Path) -> None:
    run = Dispatch(1)
    run.change(accumulate=True, accumulation_id=1, output_folder=str(tmp_path))
    run.change(distance=0.1, photon_energy=12.0, background=77.0)
    accumulate(run, 3)
    run.change(distance=0.25, background=88.0)
    run.reducer._update_settings(parameters(run.settings[0]))
    run.reducer.close()
    (path,) = tmp_path.glob("*.h5")
    with h5py.File(path) as file:
        assert file["entry/instrument/detector/distance"][()] == 0.25
        assert file["entry/settings/distance"][()] == 0.25
        assert file["entry/settings/background"][()] == 77.0
    assert from_poni(path.with_suffix(".poni")).settings["distance"] == 0.25


def test_frames_of_runs_and_scans_with_the_same_number_stay_apart(tmp_path: Path) -> None:
    run = Dispatch(1)
    run.change(accumulate=True, accumulation_id=1, output_folder=str(tmp_path))
    accumulate(run, 2)
    for frames in (3, 5):
        run.new_scan()
        run.to_all(
            pilatus=header(),
            sardana=sardana("DataDescription", ref_moveables=[], title="ct", serialno=1),
        )
        for number in range(frames):
            run.to_one(pilatus=image(number, np.ones((4, 5), np.float32)))
        run.to_all(pilatus=series_end(), sardana=sardana("RecordEnd"))
        run.deliver()
    run.reducer.close()
    (path,) = tmp_path.glob("*.h5")
    with h5py.File(path) as file:
        frames = file["entry/frames"]
        assert len(set(frames["scan"].asstr()[()])) == 3
        assert list(frames["scan"].asstr()[:2]) == ["run1", "1"]
        assert frames["last"][()].tolist() == [1, 2, 4]
        assert frames["count"][()] == 10
