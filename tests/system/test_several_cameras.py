"""Two cameras in one scan, with the real dranspose: exact sums, and a camera that dies."""

import json
import threading
from contextlib import closing

import httpx
import numpy as np
import pytest
from support.client_side import wait_settled
from support.waiting import PATIENCE, STEADY, stays, wait_for

from femtotango.dranspose_client.controller import Controller
from femtotango.dranspose_client.reducer import Reducer
from femtotango.dranspose_client.trigger_maps import TriggerMap, scan_map
from femtotango.simulation.beamline import ScanPlayer
from femtotango.simulation.detector_socket import PushSource
from femtotango.simulation.sardana_records import post_record
from pipeline.protocols.published_paths import SNAPSHOT
from pipeline.protocols.snapshot import Published
from pipeline.protocols.stins import stins_end, stins_header, stins_image
from pipeline.protocols.tree import read_group
from pipeline.simulation.scan import BurstScan, sardana_records

pytestmark = pytest.mark.slow

PILATUS, ZYLA = "pilatus", "andor3_zyla12"
CAMERAS = (PILATUS, ZYLA)
SHAPES = {PILATUS: (60, 70), ZYLA: (80, 50)}
SCAN = BurstScan(steps=4, burst=5, number=31)
FRAMES = SCAN.steps * SCAN.burst
ROIS = {
    "all": {"x": 0, "y": 0, "width": 70, "height": 60},
    "zyla": {"x": 5, "y": 6, "width": 30, "height": 20, "camera": ZYLA},
}


def pixels(camera: str, frame: int) -> np.ndarray:
    dtype = np.float32 if camera == PILATUS else np.uint16
    rng = np.random.default_rng([frame, len(camera)])
    return rng.integers(150, 4000, SHAPES[camera]).astype(dtype)


def processed(camera: str, frame: int) -> np.ndarray:
    """Return what is summed of a frame, computed with numpy."""
    raw = pixels(camera, frame).astype(float)
    return raw if camera == PILATUS else np.where(raw - 100 > 12, raw - 100, 0)


def total(camera: str, frames: int = FRAMES) -> np.ndarray:
    return np.sum([processed(camera, frame) for frame in range(frames)], axis=0)


def beamline_map() -> TriggerMap:
    """Map every camera and the record of a shot into one event, as the beamline's hook does."""
    one = [[{"tags": ["generic"], "constraint": event}] for event in range(FRAMES)]
    records = [to if (i + 1) % SCAN.burst == 0 else None for i, to in enumerate(one)]
    main = {PILATUS: one, ZYLA: one, "sardana": records}
    return TriggerMap({"main": main}, ["main"], wrap=True)  # type: ignore[dict-item]


MAPS = {
    "own": lambda: scan_map(CAMERAS, SCAN.steps, SCAN.burst, records=True),
    "beamline": beamline_map,
}


@pytest.fixture
def player(player: ScanPlayer) -> ScanPlayer:
    player.write(Accumulate=True, Rois=json.dumps(ROIS))
    player.device.ResetAccumulation()
    return player


def post(player: ScanPlayer, trigger_map: TriggerMap) -> None:
    """Post a trigger map to the controller, as another client does."""
    with closing(Controller(player.info["controller"])) as controller:
        wait_settled(controller)
        controller.set_sequence(trigger_map)
        wait_for(lambda: controller.progress().last_assigned >= 1, "events are assigned")
    stays(lambda: True, "ingesters listen")


def published(player: ScanPlayer) -> Published:
    with closing(Reducer(player.info["reducer"])) as reducer:
        return read_group(Published, reducer.data(SNAPSHOT))


def image(player: ScanPlayer, camera: str) -> np.ndarray:
    with closing(Reducer(player.info["reducer"])) as reducer:
        return reducer.array(f"cameras/{camera}/image")


def send(source: PushSource, camera: str, frames: int = FRAMES, end: bool = True) -> None:
    source.send([stins_header(0, f"/raw/{camera}.h5")])
    source.send([stins_image(f + 1, f, pixels(camera, f)) for f in range(frames)], rate=40)
    if end:
        source.send([stins_end(FRAMES + 1)])


def send_records(player: ScanPlayer) -> None:
    with httpx.Client(trust_env=False) as http:
        for record in sardana_records(SCAN):
            post_record(http, player.info["sardana"], record)


@pytest.mark.parametrize("kind", MAPS)
def test_the_sums_of_both_are_exact_and_so_are_the_curves(player: ScanPlayer, kind: str) -> None:
    post(player, MAPS[kind]())
    sending = [
        threading.Thread(target=send, args=(player.source(camera), camera)) for camera in CAMERAS
    ]
    sending.append(threading.Thread(target=send_records, args=(player,)))
    for thread in sending:
        thread.start()
    for thread in sending:
        thread.join(PATIENCE)
    wait_for(lambda: published(player).scan.ended, lambda: str(published(player).scan))
    player.wait_finished()
    seen = published(player)
    assert seen.cameras is not None and seen.scan.cameras == CAMERAS
    for camera in CAMERAS:
        np.testing.assert_array_equal(image(player, camera), total(camera))
        assert seen.cameras[camera].accumulated_number == FRAMES
        assert seen.cameras[camera].scan_frames == FRAMES
        assert seen.cameras[camera].image_sum == total(camera).sum()
    assert seen.health.failed_frames == 0
    assert player.read("FrameCount") == FRAMES
    np.testing.assert_allclose(player.read("XAxis"), SCAN.positions)
    means = {
        "all": [processed(PILATUS, f)[:60, :70].mean() for f in range(FRAMES)],
        "zyla": [processed(ZYLA, f)[6:26, 5:35].mean() for f in range(FRAMES)],
    }
    steps = [np.reshape(means[roi], (SCAN.steps, SCAN.burst)).mean(axis=1) for roi in ROIS]
    np.testing.assert_allclose(player.read("RoiMeanCurves"), steps)


def test_a_map_whose_start_goes_to_one_worker_gives_the_same(player: ScanPlayer) -> None:
    one = [[{"tags": ["generic"], "constraint": event}] for event in range(FRAMES + 2)]
    main = {PILATUS: one, ZYLA: one}
    post(player, TriggerMap({"main": main}, ["main"], wrap=False))  # type: ignore[dict-item]
    for camera in CAMERAS:
        send(player.source(camera), camera)
    wait_for(lambda: published(player).scan.ended, lambda: str(published(player).scan))
    player.device.StopScan()
    for camera in CAMERAS:
        np.testing.assert_array_equal(image(player, camera), total(camera))
    assert published(player).health.late_frames == 0


@pytest.mark.parametrize("kind", MAPS)
@pytest.mark.parametrize("dead", CAMERAS)
def test_a_camera_that_dies_costs_the_other_nothing(
    player: ScanPlayer, kind: str, dead: str
) -> None:
    (alive,) = set(CAMERAS) - {dead}
    post(player, MAPS[kind]())
    records = threading.Thread(target=send_records, args=(player,))
    records.start()
    dying = threading.Thread(target=send, args=(player.source(dead), dead, 7, False))
    dying.start()
    send(player.source(alive), alive)
    records.join(PATIENCE)
    dying.join(PATIENCE)

    def whole() -> bool:
        cameras = published(player).cameras or {}
        return alive in cameras and cameras[alive].accumulated_number == FRAMES

    wait_for(whole, lambda: str(published(player).scan))
    np.testing.assert_array_equal(image(player, alive), total(alive))
    assert published(player).scan.ended == 0
    player.device.StopScan()
    player.wait_finished()
    seen = published(player)
    assert seen.cameras is not None
    assert seen.cameras[alive].scan_frames == FRAMES
    assert seen.cameras[dead].accumulated_number == 7
    np.testing.assert_array_equal(image(player, dead), total(dead, 7))


def test_the_rest_of_an_aborted_series_enters_no_later_scan(player: ScanPlayer) -> None:
    """A detector whose socket was blocked sends the rest when the next scan listens."""
    post(player, scan_map([PILATUS], 1, 5, records=False))
    source, sent = player.source(PILATUS), 0

    def note(number: int) -> None:
        nonlocal sent
        sent = number

    # More than the kernel's own buffers hold.
    old = [stins_image(f + 1, f, pixels(PILATUS, 1000)) for f in range(3000)]
    blocked = threading.Thread(
        target=source.send,
        args=([stins_header(0, "/raw/old.h5"), *old, stins_end(len(old) + 1)],),
        kwargs={"sent": note},
    )
    blocked.start()

    def stands() -> bool:
        before = sent
        blocked.join(STEADY)
        return sent == before

    wait_for(stands, "the socket is blocked")
    assert blocked.is_alive()
    player.device.StopScan()
    player.device.ResetAccumulation()
    post(player, scan_map(CAMERAS, 1, FRAMES, records=False))
    blocked.join(PATIENCE)
    for camera in CAMERAS:
        send(player.source(camera), camera)
    wait_for(lambda: published(player).scan.ended, lambda: str(published(player).scan))
    player.wait_finished()
    for camera in CAMERAS:
        np.testing.assert_array_equal(image(player, camera), total(camera))
        assert (published(player).cameras or {})[camera].scan_filename == f"/raw/{camera}.h5"
