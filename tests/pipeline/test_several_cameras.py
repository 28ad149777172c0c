"""Several cameras in a scan: in one event or in events of their own, the results are equal."""

import json
from collections.abc import Iterator

import numpy as np
import pytest
from support.dispatch import Dispatch, Stream, header, image, sardana, series_end

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


def total(camera: str, frames: Iterator[int] | range = range(FRAMES)) -> np.ndarray:
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
