"""Several cameras in a scan: in one event or in events of their own, the results are equal."""

import json
from collections.abc import Iterable

import h5py
import numpy as np
import pytest
from support.dispatch import Dispatch, Stream, header, image, sardana, series_end

from pipeline.protocols.snapshot import Published
from pipeline.protocols.tree import read_group
from pipeline.simulation.balor import balor_frame

PILATUS, ZYLA, BALOR = "pilatus", "andor3_zyla12", "andor3_balor"
SHAPES = {PILATUS: (8, 10), ZYLA: (6, 7), BALOR: (12, 14)}
STEPS, BURST = 4, 3
FRAMES = STEPS * BURST
ROIS = json.dumps(
    {
        "first": {"x": 0, "y": 0, "width": 8, "height": 8},
        "zyla": {"x": 1, "y": 1, "width": 3, "height": 2, "camera": ZYLA},
        "absent": {"x": 1, "y": 1, "width": 3, "height": 2, "camera": "andor3_zyla10"},
    }
)


def pixels(camera: str, frame: int) -> np.ndarray:
    dtype = np.float32 if camera == PILATUS else np.uint16
    rng = np.random.default_rng([frame, len(camera)])
    return rng.integers(150, 4000, SHAPES[camera]).astype(dtype)


def processed(camera: str, frame: int) -> np.ndarray:
    """Return what is summed of a frame, computed with numpy."""
    raw = pixels(camera, frame).astype(float)
    return raw if camera == PILATUS else np.where(raw - 100 > 12, raw - 100, 0)


def total(camera: str, frames: Iterable[int] = range(FRAMES)) -> np.ndarray:
    return sum((processed(camera, frame) for frame in frames), np.zeros(SHAPES[camera]))


def message(camera: str, frame: int) -> Stream:
    return image(frame, pixels(camera, frame))


def description() -> Stream:
    return sardana("DataDescription", title="ascan m", ref_moveables=["m"], serialno=12, scandir="")


class Scan:
    """A scan of steps with records, as a trigger map has it."""

    def __init__(self, *cameras: str, own: bool, workers: int = 2, name: str = "w") -> None:
        self.cameras = cameras
        self.own = own
        self.run = Dispatch(workers, seed=4, name=name)
        self.run.change(accumulate=True, accumulation_id=1, rois=ROIS)

    def to_all(self, **streams: Stream) -> None:
        if self.own:
            for name, stream in streams.items():
                self.run.to_all(**{name: stream})
        else:
            self.run.to_all(**streams)

    def start(self) -> None:
        self.to_all(**{c: header(f"/raw/{c}.h5") for c in self.cameras}, sardana=description())

    def shot(self, frame: int, lost: tuple[str, ...] = (), **record: Stream) -> None:
        streams = {c: message(c, frame) for c in self.cameras if c not in lost}
        if not self.own:
            self.run.to_one(**streams, **record)
            return
        worker = self.run.random.randrange(2)
        for camera in self.cameras:
            if camera in streams:
                self.run.to_one(worker, **{camera: streams[camera]})
            else:
                self.run.event += 1  # it never comes
        for name, stream in record.items():
            self.run.to_one(worker, **{name: stream})

    def end(self) -> None:
        self.to_all(**dict.fromkeys(self.cameras, series_end()), sardana=sardana("RecordEnd"))

    def play(self, lost: dict[int, tuple[str, ...]] | None = None) -> dict:
        self.start()
        for frame in range(FRAMES):
            record = {}
            if (frame + 1) % BURST == 0:
                record = {"sardana": sardana("RecordData", timestamp=0.0, m=frame * 0.5)}
            self.shot(frame, (lost or {}).get(frame, ()), **record)
            self.run.deliver(at_most=self.run.random.randrange(4))
        self.end()
        self.run.deliver()
        return self.run.published


@pytest.mark.parametrize("name", ["w", "replay-worker-"])
@pytest.mark.parametrize("own", [True, False], ids=["own events", "one event"])
@pytest.mark.parametrize("cameras", [(PILATUS, ZYLA), (ZYLA, BALOR, PILATUS)])
def test_each_camera_has_its_sum_and_its_curves(cameras, own, name) -> None:
    tree = Scan(*cameras, own=own, name=name).play()
    first = BALOR if BALOR in cameras else PILATUS
    assert tree["scan"]["cameras"][0] == tree["detector"] == first
    assert sorted(tree["scan"]["cameras"]) == sorted(tree["cameras"]) == sorted(cameras)
    for camera in cameras:
        published = tree["cameras"][camera]
        np.testing.assert_array_equal(np.asarray(published["image"]), total(camera))
        assert published["accumulated_number"] == published["scan_frames"] == FRAMES
        assert published["scan_filename"] == f"/raw/{camera}.h5"
        assert published["scan_ended"] == 1
        assert json.loads(published["sum_frames"]) == {"12": [[0, FRAMES - 1]]}
        assert json.loads(published["ledger"])["detector"] == camera
    np.testing.assert_array_equal(np.asarray(tree["image"]), total(first))
    assert tree["scan"]["frames"] == tree["scan"]["processed"] == FRAMES * len(cameras)
    assert (tree["scan"]["ended"], tree["scan"]["series_ended"]) == (1, 1)
    if name == "w":
        assert tree["scan"]["ended_workers"] == ["w0", "w1"]
    x = np.arange(BURST - 1, FRAMES, BURST) * 0.5
    np.testing.assert_array_equal(np.asarray(tree["x"]), x)
    of_first = [processed(first, f)[:8, :8].mean() for f in range(FRAMES)]
    of_zyla = [processed(ZYLA, f)[1:3, 1:4].mean() for f in range(FRAMES)]
    for roi, means in (("first", of_first), ("zyla", of_zyla)):
        np.testing.assert_allclose(np.asarray(tree["roi_means"][roi]), means)
        steps = np.reshape(means, (STEPS, BURST))
        np.testing.assert_allclose(np.asarray(tree["step_means"][roi]["y"]), steps.mean(axis=1))
        assert np.asarray(tree["step_means"][roi]["n"]).tolist() == [BURST] * STEPS
    np.testing.assert_allclose(tree["roi_newest"], [of_first[-1], of_zyla[-1], np.nan])
    np.testing.assert_allclose(tree["roi_sums"], [sum(of_first), sum(of_zyla), 0])
    assert tree["roi_counts"].tolist() == [FRAMES, FRAMES, 0]


@pytest.mark.parametrize("own", [True, False], ids=["own events", "one event"])
def test_frames_that_one_camera_lost_cost_the_other_nothing(own) -> None:
    scan = Scan(PILATUS, ZYLA, own=own)
    lost = {4: (ZYLA,), 7: (ZYLA,)}
    tree = scan.play(lost)
    for seconds in (0.0, 11.0, 22.0):
        scan.run.reducer._background.do_due_work(1e6 + seconds)
    tree = scan.run.published
    np.testing.assert_array_equal(np.asarray(tree["cameras"][PILATUS]["image"]), total(PILATUS))
    there = [frame for frame in range(FRAMES) if frame not in lost]
    np.testing.assert_array_equal(np.asarray(tree["cameras"][ZYLA]["image"]), total(ZYLA, there))
    assert tree["cameras"][PILATUS]["scan_frames"] == FRAMES
    assert tree["cameras"][ZYLA]["scan_frames"] == FRAMES - 2
    assert np.asarray(tree["step_means"]["zyla"]["n"]).tolist() == [3, 2, 2, 3]
    assert np.asarray(tree["step_means"]["first"]["n"]).tolist() == [3, 3, 3, 3]
    of_zyla = np.asarray(tree["roi_means"]["zyla"])
    assert np.flatnonzero(np.isnan(of_zyla)).tolist() == [4, 7]
    assert tree["scan"]["ended"] == 1


def test_what_workers_pass_over_is_not_waited_for_and_counts_when_it_comes() -> None:
    scan = Scan(PILATUS, ZYLA, own=True, workers=1)
    run = scan.run
    scan.start()
    for frame in range(3):
        run.to_one(**{PILATUS: message(PILATUS, frame)})
        run._workers[0].pass_over([(run.event, ZYLA)])
        run.event += 1
    run.to_one(sardana=sardana("RecordData", timestamp=0.0, m=1.0))
    run.to_all(**{PILATUS: series_end()})
    run.deliver()
    assert run.published["scan"]["frames"] == 3, "nobody waits"
    assert np.asarray(run.published["step_means"]["first"]["n"]).tolist() == [3]
    assert run.published["scan"]["ended"] == 0
    behind = run.event
    for frame in range(3):
        run.event = 4 + 2 * frame
        run.to_one(**{ZYLA: message(ZYLA, frame)})
    run.event = behind
    run.to_all(**{ZYLA: series_end()})
    run.deliver()
    tree = run.published
    np.testing.assert_array_equal(np.asarray(tree["cameras"][ZYLA]["image"]), total(ZYLA, range(3)))
    assert np.asarray(tree["step_means"]["zyla"]["n"]).tolist() == [3]
    expected = np.mean([processed(ZYLA, f)[1:3, 1:4].mean() for f in range(3)])
    np.testing.assert_allclose(np.asarray(tree["step_means"]["zyla"]["y"]), [expected])
    assert tree["scan"]["ended"] == 1


def test_messages_of_an_aborted_series_are_counted_and_not_added() -> None:
    run = Dispatch(2, seed=2)
    run.change(accumulate=True, accumulation_id=1)
    run.to_all(pilatus=message(PILATUS, 40))
    run.to_one(pilatus=message(PILATUS, 41))
    run.to_one(pilatus=series_end(), andor3_zyla12=header("/raw/new.h5"))
    run.deliver()
    assert run.published["scan"]["cameras"] == [ZYLA]
    assert run.published["health"]["late_frames"] == 4
    run.to_all(pilatus=header("/raw/new.h5"))
    for frame in range(3):
        run.to_one(pilatus=message(PILATUS, frame))
    run.deliver()
    assert run.published["scan"]["series_ended"] == 0
    run.to_all(pilatus=series_end())
    run.deliver()
    np.testing.assert_array_equal(
        np.asarray(run.published["cameras"][PILATUS]["image"]), total(PILATUS, range(3))
    )
    assert run.published["cameras"][PILATUS]["scan_ended"] == 1
    assert run.published["health"]["failed_frames"] == 0
    assert run.published["scan"]["frames"] == 3


def test_photons_are_the_balor_s_and_their_file_is_closed_with_its_series(tmp_path) -> None:
    run = Dispatch(2, seed=3)
    region = json.dumps({"x": 0, "y": 0, "width": 80, "height": 60})
    run.change(accumulate=True, accumulation_id=1, photon_roi=region, max_hit_density=1.0)
    run.change(max_pileup=1.0)
    run.to_all(andor3_balor=header(str(tmp_path / "balor.h5")), pilatus=header("/raw/p.h5"))
    for frame in range(20):
        pixels_, _ = balor_frame(np.random.default_rng(frame), (60, 80), 5, hot_pixels=0)
        worker = run.to_one(andor3_balor=image(frame, pixels_))
        run.to_one(worker, pilatus=message(PILATUS, frame))
    run.to_all(andor3_balor=series_end())
    run.deliver()
    tree = run.published
    assert (tree["scan"]["ended"], tree["cameras"][BALOR]["scan_ended"]) == (0, 1)
    assert tree["cameras"][BALOR]["image_unit"] == "counts"
    assert tree["cameras"][PILATUS]["image_unit"] == "TOT"
    assert tree["photons"]["untrusted_frames"] == ""
    with h5py.File(tree["photons"]["filename"]) as file:
        assert file["entry/complete"][()] == 1
        assert file["entry/frames/frame"].shape == (20,)
        assert len(file["entry/photons/energy"]) == tree["photons"]["count"] > 0


@pytest.mark.parametrize("chosen", ["", PILATUS, ZYLA, "andor3_zyla10"])
def test_the_camera_that_is_asked_for_is_shown_where_it_is_in_the_scan(chosen) -> None:
    scan = Scan(PILATUS, ZYLA, own=True)
    scan.run.change(camera=chosen)
    tree = scan.play()
    assert tree["detector"] == (chosen if chosen in (PILATUS, ZYLA) else PILATUS)
    np.testing.assert_array_equal(np.asarray(tree["image"]), total(tree["detector"]))


def test_one_request_tells_of_all_cameras() -> None:
    tree = Scan(PILATUS, ZYLA, own=True).play()
    seen = read_group(Published, np.asarray(tree["snapshot"]).tobytes())
    assert seen.cameras is not None and list(seen.cameras) == [PILATUS, ZYLA]
    for stream, camera in seen.cameras.items():
        assert camera.accumulated_number == FRAMES
        assert camera.image_sum == total(stream).sum()
        assert camera.image_max == total(stream).max()
        assert camera.image_shape is not None
        assert tuple(camera.image_shape) == SHAPES[stream]
        np.testing.assert_allclose(camera.preview.mean, total(stream))
        assert camera.detector == stream
    assert seen.scan.cameras == (PILATUS, ZYLA)


def test_each_camera_s_sum_has_a_file_and_the_geometry_belongs_to_one(tmp_path) -> None:
    scan = Scan(PILATUS, ZYLA, own=True)
    scan.run.change(
        output_folder=str(tmp_path),
        geometry_camera=ZYLA,
        photon_energy=13.5,
        distance=0.1,
        beam_x=3.0,
        beam_y=3.0,
        azimuthal_bins=10,
    )
    scan.play()
    scan.run.reducer._background.do_due_work(1e6)
    scan.run.reducer._background._curves.shutdown()
    tree = scan.run.published
    assert tree["geometry"]["camera"] == ZYLA
    assert len(tree["azimuthal"]["q"]) == 10
    scan.run.reducer.close()
    files = sorted(tmp_path.glob("*.h5"))
    assert [file.name.rsplit("_", 2)[0] for file in files] == [ZYLA, PILATUS]
    for file, camera in zip(files, (ZYLA, PILATUS), strict=True):
        with h5py.File(file) as saved:
            np.testing.assert_array_equal(saved["entry/image/image"][()], total(camera))
            assert ("azimuthal" in saved["entry"]) == (camera == ZYLA)
    assert [file.stem for file in tmp_path.glob("*.poni")] == [files[0].stem]


def test_a_bad_frame_of_one_camera_costs_the_other_nothing() -> None:
    run = Dispatch(2)
    run.change(accumulate=True, accumulation_id=1)
    run.to_all(pilatus=header(), andor3_zyla12=header())
    broken = image(1, pixels(ZYLA, 1), shape=[1, 1])
    for frame in range(3):
        zyla = broken if frame == 1 else message(ZYLA, frame)
        run.to_one(pilatus=message(PILATUS, frame), andor3_zyla12=zyla)
    run.to_all(pilatus=series_end(), andor3_zyla12=series_end())
    run.deliver()
    tree = run.published
    np.testing.assert_array_equal(np.asarray(tree["image"]), total(PILATUS, range(3)))
    assert tree["cameras"][ZYLA]["accumulated_number"] == 2
    assert tree["cameras"][ZYLA]["scan_processed"] == 3
    assert tree["health"]["failed_frames"] == 1
