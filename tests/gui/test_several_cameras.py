"""Two cameras in a scan: each window looks at the one that it chose."""

import os

import numpy as np
import pytest
from support.viewer_scans import PILATUS, SCAN

from pipeline.simulation.scan import detector_frames

pytestmark = [pytest.mark.gui, pytest.mark.slow]

ZYLA = "andor3_zyla12"
SHAPES = {PILATUS: (831, 1475), ZYLA: (2048, 2048)}
ROIS = (
    '{"ring": {"x": 300, "y": 400, "width": 300, "height": 200, "camera": "pilatus"},'
    ' "peak": {"x": 1100, "y": 800, "width": 200, "height": 200, "camera": "andor3_zyla12"}}'
)


def play(player) -> None:
    """Play a short scan of both cameras."""
    player.prepare((PILATUS, ZYLA), SCAN)
    frames = {c: detector_frames(c, 1, SCAN.frame_positions) for c in (PILATUS, ZYLA)}
    player.play_together(frames, SCAN)
    player.wait_finished()


def choose(viewer, camera: str) -> None:
    """Choose a camera in the box beside the title."""
    box = viewer.plot.tools.camera_box
    viewer.wait("the box of cameras", box.isVisible)
    index = box.findData(camera)
    assert index >= 0
    box.setCurrentIndex(index)
    box.activated.emit(index)


def drawn(viewer) -> list[str]:
    """Return the ROIs that are on the image."""
    rois = viewer.window.image.rois
    return [n for n in ("ring", "peak") if rois.shape(n) is not None and rois.shape(n).isVisible()]


def test_a_window_looks_at_the_camera_that_it_chose(viewer, player) -> None:
    player.write(Accumulate=True, Rois=ROIS, MaxFilter=True)
    player.write(PhotonEnergy=13.5, Distance=0.131, BeamX=210.0, BeamY=373.0, QValues=(1.51,))
    player.write(GeometryCamera=PILATUS)
    play(player)
    window, plot = viewer.window, viewer.plot
    viewer.wait("the Pilatus", lambda: plot.image_shape == SHAPES[PILATUS])
    viewer.wait("its ROI alone", lambda: drawn(viewer) == ["ring"])
    viewer.wait("its rings", lambda: window.image.rings.pieces_drawn)
    assert [plot.tools.camera_box.itemData(i) for i in range(3)] == ["", PILATUS, ZYLA]

    choose(viewer, ZYLA)
    viewer.wait("the Zyla", lambda: plot.image_shape == SHAPES[ZYLA])
    viewer.wait("its title", lambda: "sum of 6 frames" in viewer.title)
    assert plot.tools.camera_box.currentText() == ZYLA
    viewer.wait("its ROI alone", lambda: drawn(viewer) == ["peak"])
    viewer.wait("no rings", lambda: not window.image.rings.pieces_drawn)
    use = window.geometry_panel.take_over
    viewer.wait("why", lambda: window.geometry_panel.hint.text().endswith(f"not of {ZYLA}."))
    assert use.isVisible() and ZYLA in use.text()
    viewer.click(use)
    viewer.wait("the Zyla's geometry", lambda: player.read("GeometryCamera") == ZYLA)
    viewer.wait("nothing to say", lambda: not use.isVisible())
    player.write(GeometryCamera=PILATUS)
    viewer.wait("the button again", use.isVisible)
    assert player.read("Camera") == ""
    assert player.read("Detector") == PILATUS
    total = player.read(f"ImageSum_{ZYLA}")
    assert f"total {total:.4g}" in viewer.title
    plot.setLimits(1100, 1300, 800, 1000)
    viewer.wait("its pixels", lambda: plot.shown.getScale()[0] == 1)
    image = player.read(f"AccumulatedImage_{ZYLA}")
    viewer.wait("the peak", lambda: plot.value_at(1200, 900) == image[900, 1200])
    colors = {window.roi_table.table.item(row, 0).text(): row for row in range(2)}
    assert set(colors) == {"ring", "peak"}
    plot.resetZoom()
    if folder := os.environ.get("FEMTOTANGO_PICTURES"):
        viewer.wait("the image", lambda: plot.shown.getScale()[0] > 1)
        viewer.events()
        window.grab().save(f"{folder}/two_cameras.png")

    play(player)
    viewer.wait("more frames", lambda: "sum of 12 frames" in viewer.title)
    choose(viewer, "")
    viewer.wait("the device's choice", lambda: plot.image_shape == SHAPES[PILATUS])
    viewer.wait("its rings again", lambda: window.image.rings.pieces_drawn)
    assert np.isfinite(plot.shown.getData(copy=False)).any()


def test_a_region_that_is_drawn_is_of_the_camera_that_is_seen(viewer, player) -> None:
    player.write(Accumulate=True)
    play(player)
    choose(viewer, ZYLA)
    viewer.wait("the Zyla", lambda: viewer.plot.image_shape == SHAPES[ZYLA])
    viewer.window.image.rois.start()
    viewer.drag((500, 500), (900, 900))
    viewer.wait("the ROI", lambda: ZYLA in player.read("Rois"))
    viewer.window.image.pick_beam()
    viewer.click_image(600, 600)
    viewer.wait("its geometry", lambda: player.read("GeometryCamera") == ZYLA)
    assert player.read("Camera") == ""
    choose(viewer, "")


def test_with_one_camera_there_is_nothing_to_choose(viewer, player) -> None:
    player.write(Accumulate=True)
    player.prepare(PILATUS, SCAN)
    player.play(PILATUS, detector_frames(PILATUS, 1, SCAN.frame_positions), SCAN)
    player.wait_finished()
    viewer.wait("the image", lambda: viewer.plot.image_shape == SHAPES[PILATUS])
    viewer.wait("no choice", lambda: not viewer.plot.tools.camera_box.isVisible())
