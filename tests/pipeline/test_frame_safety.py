"""What the reducer publishes about the safety of every frame, on real files, threads and disks."""

import json
import shutil
import threading
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from support.disks import wait_at_fsync
from support.dispatch import Dispatch, header, image, parameters, series_end
from support.photons import read_frames
from support.published import published
from support.waiting import wait_for

from pipeline.photons import list_writer
from pipeline.protocols.packed_datasets import FrameSafety
from pipeline.protocols.published_paths import FRAME_SAFETY
from pipeline.protocols.tree import read_group
from pipeline.reducer import live_integration
from pipeline.simulation.balor import balor_frame

SHAPE = (120, 160)
ROI = json.dumps({"x": 0, "y": 0, "width": SHAPE[1], "height": SHAPE[0]})


def start(folder: Path, workers: int = 2, roi: str = ROI, **camera: object) -> Dispatch:
    run = Dispatch(workers)
    run.change(photon_roi=roi)
    run.to_all(andor3_balor=header(str(folder / "raw" / "s.h5"), **camera))
    run.deliver()
    return run


def send(run: Dispatch, *numbers: int, **changed: object) -> None:
    rng = np.random.default_rng(numbers[0])
    for number in numbers:
        pixels, _ = balor_frame(rng, SHAPE, count=5, hot_pixels=0)
        run.to_one(andor3_balor=image(number, pixels, **changed))
    run.deliver()


def safety(run: Dispatch) -> FrameSafety:
    return read_group(FrameSafety, np.asarray(run.published[FRAME_SAFETY]).tobytes())


def wait_durable(run: Dispatch) -> FrameSafety:
    wait_for(lambda: not safety(run).waiting, lambda: safety(run))
    return safety(run)


def at(run: Dispatch, seconds: float) -> FrameSafety:
    """Return what it will be, if nothing happens for so long."""
    return run.reducer._state.frame_safety(time.monotonic() + seconds)


@pytest.fixture
def hanging(monkeypatch):
    """Let the disk hang while the event is not set."""
    go_on = wait_at_fsync(monkeypatch)
    go_on.set()
    yield go_on
    go_on.set()


def test_a_whole_series(tmp_path):
    run = start(tmp_path, save_raw=False)
    assert safety(run).may_drop_raw == 0
    assert "Too few photons" in safety(run).reason
    send(run, *range(40))
    seen = wait_durable(run)
    assert (seen.may_drop_raw, seen.reason, seen.unsafe) == (1, "", "")
    assert (seen.newest, seen.series_ended, seen.complete, seen.save_raw) == (39, 0, 0, 0)
    assert seen.filename == str(tmp_path / "process" / "s_xye.h5")
    assert seen.number == run.published["scan"]["number"]
    assert seen.mapping == run.published["scan"]["mapping"]
    assert seen.process
    run.to_all(andor3_balor=series_end())
    run.deliver()
    assert (safety(run).series_ended, safety(run).complete) == (1, 1)


def test_it_is_made_anew_for_each_reader_by_http(tmp_path):
    """Nothing comes, no revision is raised, and yet what is read changes."""
    run = start(tmp_path)
    send(run, *range(40))
    wait_durable(run)
    run.to_one(andor3_balor=image(40, np.zeros(SHAPE, np.uint16)))
    run.event += 1
    tree = run.published
    assert FRAME_SAFETY in tree
    with published(tree) as address:
        import httpx

        name = "d-h5dict-" + f"/{FRAME_SAFETY}".encode().hex().upper()

        def read() -> FrameSafety:
            return read_group(FrameSafety, httpx.get(f"{address}/datasets/{name}/value").content)

        assert (read().may_drop_raw, read().newest) == (1, 39)
        run.deliver()
        assert read().newest == 40
        shutil.rmtree(tmp_path / "process")
        wait_for(lambda: not read().may_drop_raw, "permission ends")
        assert "deleted or moved" in read().reason
        assert read().unsafe == "0-40"


def test_a_disk_that_hangs_ends_permission_although_nobody_else_notices(tmp_path, hanging):
    run = start(tmp_path)
    send(run, *range(40))
    wait_durable(run)
    hanging.clear()
    send(run, 40, 41)
    assert safety(run).waiting == "40-41"
    begun = time.monotonic()
    wait_for(lambda: not safety(run).may_drop_raw, "permission ends", limit=30)
    print(f"permission ended after {time.monotonic() - begun:.2f} s")
    assert safety(run).waiting == "40-41"
    assert not safety(run).unsafe
    assert "disk" in safety(run).reason
    hanging.set()
    assert wait_durable(run).may_drop_raw == 1


def test_a_file_that_cannot_be_made_in_time_is_no_file(tmp_path, hanging, monkeypatch):
    hanging.clear()
    make = list_writer.PhotonFile
    monkeypatch.setattr(
        list_writer, "PhotonFile", lambda *given: make(*given) if hanging.wait(100) else None
    )
    run = start(tmp_path)
    send(run, *range(40))
    assert at(run, 0.0).filename == ""
    assert at(run, 2.1).may_drop_raw == 0
    assert at(run, 2.1).waiting == "0-39"
    hanging.set()
    assert wait_durable(run).may_drop_raw == 1


def test_a_timer_that_does_not_come_back_silences_nothing(tmp_path):
    """Nobody but the file's own thread looks after the file."""
    run = start(tmp_path)
    send(run, *range(40))
    wait_durable(run)
    Path(safety(run).filename).rename(tmp_path / "elsewhere.h5")
    wait_for(lambda: not safety(run).may_drop_raw, "permission ends")
    assert safety(run).unsafe == "0-39"


def test_a_first_geometry_stops_neither_timer_nor_file(tmp_path, monkeypatch):
    """Importing pyFAI and compiling take seconds."""
    go_on = threading.Event()
    entered = threading.Event()

    def slow(self) -> None:
        entered.set()
        assert go_on.wait(100)

    monkeypatch.setattr(live_integration.LiveIntegration, "_warm_up", slow)
    run = start(tmp_path)
    run.change(photon_energy=13.5, distance=0.1)
    send(run, *range(40))
    for _ in range(3):
        run.reducer.timer(parameters(run.settings[0]))  # comes back
    assert entered.wait(60)
    assert wait_durable(run).may_drop_raw == 1
    go_on.set()
    assert run.published["health"]["last_error"] == ""


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "process").write_text("no folder")
    run = start(tmp_path)
    send(run, *range(40))
    wait_for(lambda: "could not be created" in safety(run).reason, lambda: safety(run))
    assert safety(run).unsafe == "0-39"
    run.reducer.timer(parameters(run.settings[0]))
    tree = run.published
    assert "check folder, permissions and space" in tree["health"]["alarms"][0]
    assert tree["photons"]["count"] > 100
    assert tree["photons"]["trusted"] == 0


def test_frames_without_a_roi_are_accounted_for_from_the_header_on(tmp_path):
    run = start(tmp_path, roi="")
    send(run, 0, 1)
    run.event += 1  # lost with its worker
    send(run, 3)
    assert "PhotonRoi" in safety(run).reason
    now = time.monotonic()
    run.reducer._background.do_due_work(now)
    run.reducer._background.do_due_work(now + 11)
    assert not (tmp_path / "process").exists()
    run.change(photon_roi=ROI)
    send(run, *range(4, 44))
    seen = wait_durable(run)
    assert (seen.may_drop_raw, seen.unsafe) == (0, "0-3")
    statuses = [status for _, status, _ in read_frames(seen.filename)]
    assert statuses == [3, 3, 4, 3] + [0] * 40


def test_frames_that_a_new_process_finds_without_their_header(tmp_path):
    run = start(tmp_path)
    send(run, *range(40))
    before = wait_durable(run)
    run._reducer_context.clear()
    process = run.reducer
    run.new_reducer(before.mapping)
    assert run.reducer is not process
    assert (safety(run).mapping, safety(run).may_drop_raw) == ("", 0)
    run.event = 41
    send(run, 40, 41)
    now = time.monotonic()
    for seconds in range(0, 60, 11):  # workers send again what may not have arrived
        run.reducer._background.do_due_work(now + seconds)
    seen = safety(run)
    assert (seen.mapping, seen.filename, seen.may_drop_raw) == (before.mapping, "", 0)
    assert (seen.unsafe, seen.newest) == ("0-41", 41)


def test_results_that_stall_end_permission_within_a_second(tmp_path):
    run = start(tmp_path)
    send(run, *range(40))
    wait_durable(run)
    run.event += 1
    send(run, 41, 42)
    assert at(run, 0.0).may_drop_raw == 1
    seen = at(run, 1.2)
    assert (seen.may_drop_raw, seen.waiting, seen.newest) == (0, "41-42", 42)
    assert "Event 41" in seen.reason


def test_more_frames_than_were_announced(tmp_path):
    """The event that should have brought the end brings an image, and goes to all workers."""
    run = start(tmp_path)
    send(run, *range(40))
    run.to_all(andor3_balor=image(40, np.zeros(SHAPE, np.uint16)))
    run.deliver()
    seen = wait_durable(run)
    assert (seen.may_drop_raw, seen.series_ended, seen.complete) == (0, 0, 0)
    assert "frame 40 came in place of its end" in seen.reason
    assert run.published["scan"]["frames"] == 41


def test_a_discarded_frame_is_counted_and_nothing_else(tmp_path):
    run = start(tmp_path)
    send(run, *range(40))
    run.to_one(andor3_balor=image(40, np.full(SHAPE, 5000, np.uint16), discard=True))
    send(run, *range(41, 45))
    assert wait_durable(run).may_drop_raw == 1
    tree = run.published
    assert tree["health"]["discarded_frames"] == 1
    assert tree["scan"]["frames"] == 44
    assert tree["scan"]["processed"] == 45
    assert tree["photons"]["skipped_frames"] == 0
    run.to_all(andor3_balor=series_end())
    run.deliver()
    wait_for(lambda: run.published["health"]["settled"], "the file is closed")
    assert read_frames(safety(run).filename)[40] == (40, 5, 0)
    with h5py.File(safety(run).filename) as file:
        assert file["entry/complete"][()] == 1
    assert safety(run).complete == 1


def test_a_camera_that_counts_anew_is_not_vouched_for(tmp_path):
    run = start(tmp_path)
    send(run, *range(40))
    send(run, 3)
    assert wait_durable(run).unsafe == "3"
