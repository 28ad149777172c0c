"""An event that never comes, frames without photons, values that cannot be: nothing is hidden."""

import json

import h5py
import numpy as np
import pytest
from support.dispatch import Dispatch, header, image, parameters, sardana, series_end

from pipeline.model.parameters import Settings, settings_from_bytes
from pipeline.simulation.balor import balor_frame

SHAPE = (120, 160)
ROI = json.dumps({"x": 0, "y": 0, "width": SHAPE[1], "height": SHAPE[0]})


def photon_run(tmp_path, workers: int = 2) -> Dispatch:
    run = Dispatch(workers)
    run.change(photon_roi=ROI)
    run.to_all(andor3_balor=header(str(tmp_path / "raw.h5")))
    return run


def send(run: Dispatch, first: int, number: int) -> None:
    rng = np.random.default_rng(first)
    for frame in range(first, first + number):
        pixels, _ = balor_frame(rng, SHAPE, count=5, hot_pixels=0)
        run.to_one(andor3_balor=image(frame, pixels))
    run.deliver()


def tick(run: Dispatch, now: float) -> None:
    run.reducer._update_settings(parameters(run.settings[0]))
    run.reducer._background.do_due_work(now)


def photons(run: Dispatch) -> dict:
    return run.published["photons"]


def test_results_behind_an_event_that_does_not_come_are_not_trusted_and_then_used(tmp_path):
    run = photon_run(tmp_path)
    send(run, 0, 40)
    tick(run, 100.0)
    assert photons(run)["may_drop_raw"] == 1
    run.event += 1  # a worker hangs on this one
    send(run, 41, 20)
    tick(run, 101.0)
    tick(run, 102.5)
    assert photons(run)["trusted"] == 0
    assert "Event 41" in photons(run)["reason"]
    assert run.published["scan"]["frames"] == 40
    tick(run, 112.0)
    assert run.published["scan"]["frames"] == 60
    assert "41" in run.published["health"]["last_error"]
    tick(run, 112.5)
    assert photons(run)["trusted"] == 1


def test_an_event_that_does_not_come_is_given_up_in_a_pause_too():
    run = Dispatch(2)
    run.change(rois=json.dumps({"a": {"x": 0, "y": 0, "width": 8, "height": 8}}))
    run.to_all(pilatus=header())
    for number in range(70):
        if number == 60:
            run.event += 1  # a worker hangs on this one
            continue
        run.to_one(pilatus=image(number, np.full((8, 8), number, np.float32)))
    run.deliver()
    for now in np.arange(100.0, 109.0, 0.2):
        tick(run, now)
    assert run.published["scan"]["frames"] == 60
    tick(run, 111.0)
    assert run.published["scan"]["frames"] == 69
    assert "61" in run.published["health"]["last_error"]


def test_a_skipped_frame_is_known_at_once(tmp_path):
    run = photon_run(tmp_path, workers=1)
    run.change(accumulate=True)
    send(run, 0, 60)
    run.to_one(andor3_balor=image(60, np.full(SHAPE, 5000, np.uint16)))
    run.deliver()
    assert photons(run)["skipped_frames"] == 1
    assert photons(run)["may_drop_raw"] == 0


@pytest.mark.parametrize("value", [np.iinfo(np.int64).min, np.iinfo(np.int64).max, -(1 << 40)])
def test_pixels_that_would_overflow_a_sum_are_refused(value):
    run = Dispatch(1)
    run.to_all(andor3_zyla10=header())
    run.to_one(andor3_zyla10=image(0, np.array([[value, 300]], np.int64)))
    run.deliver()
    assert run.published["health"]["failed_frames"] == 1
    assert str(value) in run.published["health"]["last_error"]


def test_what_waits_holds_no_pixels():
    run = Dispatch(1, name="replay-worker-")
    run.change(accumulate=True)
    run.to_all(pilatus=header())
    run.event += 1
    for number in range(5):
        run.to_one(pilatus=image(number, np.ones((8, 8), np.float32)))
    run.deliver()
    waiting = run.reducer._state.scans()[-1]._reorder._waiting
    assert len(waiting) == 5
    assert all(item.batch.result.partials == () for _, _, item in waiting)
    assert run.published["accumulated_number"] == 5


def test_frames_without_photons_need_their_raw_data(tmp_path):
    run = photon_run(tmp_path)
    send(run, 0, 40)
    run.change(photon_roi="")
    send(run, 40, 3)
    run.change(photon_roi=ROI)
    run.to_one(andor3_balor=image(43, np.zeros(SHAPE, np.uint16), compression="no"))
    send(run, 44, 10)
    assert photons(run)["may_drop_raw"] == 0
    assert photons(run)["untrusted_frames"] == "40-43"
    assert "40-43" in photons(run)["reason"]


def test_a_roi_beside_the_image_is_not_trusted(tmp_path):
    run = photon_run(tmp_path)
    send(run, 0, 40)
    run.change(photon_roi=json.dumps({"x": 5000, "y": 0, "width": 5, "height": 5}))
    send(run, 40, 2)
    assert photons(run)["trusted"] == 0
    assert "outside" in photons(run)["reason"]


def test_skipped_frames_are_remembered_at_the_next_header(tmp_path):
    run = photon_run(tmp_path)
    send(run, 0, 40)
    run.to_one(andor3_balor=image(40, np.full(SHAPE, 5000, np.uint16)))
    run.to_all(andor3_balor=series_end())
    run.deliver()
    run.new_scan()
    run.to_all(andor3_balor=header(str(tmp_path / "next.h5")))
    run.deliver()
    assert photons(run)["may_drop_raw"] == 0
    assert "last scan" in photons(run)["reason"]
    send(run, 0, 40)
    assert photons(run)["may_drop_raw"] == 1


def test_the_file_is_named_once_it_is_closed(tmp_path):
    run = photon_run(tmp_path)
    send(run, 0, 3)
    run.to_all(andor3_balor=series_end())
    run.deliver()
    assert photons(run)["filename"].endswith("raw_xye.h5")
    assert run.published["health"]["settled"] == 1


def test_frames_of_a_sum_that_was_reset_have_not_failed():
    run = Dispatch(1)
    run.change(accumulate=True, accumulation_id=1)
    run.to_all(pilatus=header())
    run.to_one(pilatus=image(0, np.ones((8, 8), np.float32)))
    run.to_one(pilatus=image(1, np.ones((8, 8), np.float32)))
    run.reducer.timer(parameters(Settings(accumulate=True, accumulation_id=2)))
    run.change(accumulation_id=2)
    run.deliver()
    assert run.published["health"]["failed_frames"] == 0


@pytest.mark.parametrize("name", ["rois", "photon_roi", "accumulation_id", "distance"])
def test_a_number_too_large_for_a_float_is_refused(name):
    number = "1" + "0" * 400
    roi = f'{{"x": {number}, "y": 0, "width": 1, "height": 1}}'
    text = {"rois": f'{{"z": {roi}}}', "photon_roi": roi}.get(name, number)
    settings, refused = settings_from_bytes({name: text.encode()}, Settings(tilt=3.0))
    assert settings == Settings(tilt=3.0)
    assert len(refused) == 1


def test_half_precision_frames_are_summed():
    run = Dispatch(1)
    run.change(accumulate=True)
    run.to_all(pilatus=header())
    run.to_one(pilatus=image(0, np.full((4, 4), 1.5, np.float16)))
    run.to_all(pilatus=series_end())
    run.deliver()
    np.testing.assert_array_equal(np.asarray(run.published["image"]), np.full((4, 4), 1.5))


def test_a_sum_over_two_photon_rois_was_analysed_where_they_meet(tmp_path):
    run = photon_run(tmp_path)
    run.change(accumulate=True)
    send(run, 0, 2)
    run.change(photon_roi=json.dumps({"x": 100, "y": 50, "width": 500, "height": 30}))
    send(run, 2, 2)
    np.testing.assert_array_equal(run.published["image_region"], [100, 50, 60, 30])
    run.change(photon_roi=json.dumps({"x": 0, "y": 0, "width": 5, "height": 5}))
    send(run, 4, 2)
    assert 0 in run.published["image_region"]
    assert run.published["accumulated_number"] == 6


def test_a_killed_worker_s_frames_are_counted():
    run = Dispatch(1)
    run.change(accumulate=True, accumulation_id=1)
    run.to_all(pilatus=header(), sardana=sardana("DataDescription", title="scan"))
    run.to_one(pilatus=image(0, np.ones((8, 8), np.float32)))
    run.to_one(pilatus=image(1, np.ones((8, 8), np.float32)))
    run.deliver()
    held = 2 - run.published["accumulated_number"]
    assert held > 0
    run._contexts[0].clear()
    run.new_scan()
    run.to_all(pilatus=header())
    run.deliver()
    assert run.published["health"]["failed_frames"] == held
    assert "w0 was restarted" in run.published["health"]["last_error"]


def test_late_results_after_a_restart_of_the_reducer_do_not_hide_the_new_scan():
    run = Dispatch(1)
    run.to_all(pilatus=header("/old.h5"))
    run.to_one(pilatus=image(0, np.ones((8, 8), np.float32)))
    run._queues[0].clear()
    run._reducer_context.clear()
    run.new_scan()
    run.to_all(pilatus=header("/new.h5"))
    run.to_one(pilatus=image(0, np.ones((8, 8), np.float32)))
    run.deliver()
    assert run.published["scan"]["filename"] == "/new.h5"
    assert run.published["scan"]["frames"] == 1


def test_frames_before_the_roi_was_set_need_their_raw_data(tmp_path):
    run = Dispatch(1)
    run.to_all(andor3_balor=header(str(tmp_path / "raw.h5")))
    send(run, 0, 3)
    run.change(photon_roi=ROI)
    send(run, 3, 40)
    assert photons(run)["may_drop_raw"] == 0
    assert photons(run)["untrusted_frames"] == "0-2"


def test_events_that_were_given_up_need_their_raw_data(tmp_path):
    run = photon_run(tmp_path)
    send(run, 0, 40)
    tick(run, 100.0)
    run.event += 2
    send(run, 42, 20)
    tick(run, 101.0)
    tick(run, 112.0)
    assert photons(run)["may_drop_raw"] == 0
    assert photons(run)["untrusted_frames"] == "40-41"
    run.event += 1  # the last one is lost too
    run.to_all(andor3_balor=series_end())
    run.deliver()
    tick(run, 113.0)
    tick(run, 124.0)
    assert photons(run)["untrusted_frames"] == "40-41, 62"


def test_a_huge_frame_number_costs_that_frame_only(tmp_path):
    run = photon_run(tmp_path)
    send(run, 0, 40)
    assert photons(run)["may_drop_raw"] == 1
    count = photons(run)["count"]
    run.to_one(andor3_balor=image(2**63, np.zeros(SHAPE, np.uint16)))
    send(run, 41, 5)
    assert photons(run)["count"] > count
    assert photons(run)["may_drop_raw"] == 0
    assert photons(run)["untrusted_frames"] == "40"
    assert run.published["health"]["failed_frames"] == 1
    assert "9223372036854775808" in run.published["health"]["last_error"]


def test_a_broken_second_header_part_costs_that_part_only(tmp_path):
    run = Dispatch(1)
    run.change(photon_roi=ROI)
    start = header(str(tmp_path / "raw.h5"))
    start.frames.append(b"{broken")
    run.to_all(andor3_balor=start)
    send(run, 0, 40)
    assert run.published["scan"]["filename"] == str(tmp_path / "raw.h5")
    assert photons(run)["may_drop_raw"] == 1
    assert "second part" in run.published["health"]["last_error"]
    assert run.published["health"]["failed_frames"] == 0


def test_settings_that_were_changed_and_changed_back_are_in_the_file(tmp_path):
    run = photon_run(tmp_path, workers=1)
    send(run, 0, 3)
    run.change(energy_threshold=500.0)
    send(run, 3, 1)
    run.change(energy_threshold=800.0)
    send(run, 4, 3)
    run.to_all(andor3_balor=series_end())
    run.deliver()
    with h5py.File(photons(run)["filename"]) as file:
        changes = file["entry/process/changes"]
        assert changes["frame"][()].tolist() == [0, 3, 4]
        thresholds = [json.loads(text)["energy_threshold"] for text in changes["settings"][()]]
        assert thresholds == [800, 500, 800]
