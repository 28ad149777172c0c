"""Dark level and mask in the camera's tab, and the mask on the image."""

import json

import numpy as np
import pytest

from pipeline.simulation.scan import BurstScan

pytestmark = [pytest.mark.gui, pytest.mark.slow, pytest.mark.timeout(240)]

ZYLA = "andor3_zyla12"
SHAPE = (60, 80)


def words(label) -> str:
    """Return what a label says, without the places where its line may end."""
    return label.text().replace("\N{ZERO WIDTH SPACE}", "")


def test_a_dark_level_and_a_mask_are_taken_shown_and_cleared(viewer, player, tmp_path) -> None:
    from femtotango.gui.panels.mask_drawing import MaskDrawing

    bad = np.zeros(SHAPE, np.uint8)
    bad[10:20, 30:40] = 1
    np.save(tmp_path / "bad.npy", bad)
    part, plot = viewer.window.settings.corrections, viewer.window.image.plot
    viewer.window.settings.tabs.setCurrentIndex(1)
    viewer.events()
    area = viewer.window.settings.tabs.currentWidget()

    def all_is_seen() -> bool:
        parts = (part.take, part.frames, part.clear_dark, part.clear_mask, part.draw)
        rights = [one.mapTo(area.widget(), one.rect().topRight()).x() for one in parts]
        return max(rights) < area.viewport().width()

    assert all_is_seen()
    scan = BurstScan(steps=1, burst=6)
    frames = [np.full(SHAPE, 100, np.uint16)] * 6
    player.write(Camera=ZYLA)
    player.prepare(ZYLA, scan)
    player.play(ZYLA, frames, scan)
    player.wait_finished()
    viewer.wait("the camera", lambda: part.dark_file.text() == "Dark level: Background")
    assert part.mask_file.text() == "Mask: none"

    part.frames.setValue(6)
    viewer.click(part.take)
    viewer.wait("that it is being taken", lambda: "0 % taken" in part.dark_file.text())
    # Before a scan begins, all workers know of it; in one that runs, some frames later.
    player.prepare(ZYLA, scan)
    player.play(ZYLA, frames, scan)
    viewer.wait("the dark level", lambda: "dark_andor3_zyla12" in words(part.dark_file))
    viewer.events()
    assert all_is_seen(), "the long name of the file makes the panel wider"
    viewer.click(part.clear_dark)
    viewer.wait("none", lambda: part.dark_file.text() == "Dark level: Background")

    viewer.click(part.draw)
    viewer.wait("the window", lambda: part.findChildren(MaskDrawing))
    (drawing,) = part.findChildren(MaskDrawing)
    assert drawing.marked.shape == SHAPE
    assert not drawing.marked.any()
    drawing.tools.polygonAction.trigger()
    viewer.click_corners([(50, 20), (70, 20), (50, 40)], drawing.plot)
    viewer.wait("a marked triangle", lambda: drawing.marked.any())
    triangle = drawing.marked
    # Its corners are known to about a pixel of the detector.
    assert int(triangle.sum()) == pytest.approx(200, rel=0.25)
    assert triangle[22, 52] and triangle[36, 51] and not triangle[36, 66]
    drawing.tools.resetSelectionMask()
    viewer.wait("none", lambda: not drawing.marked.any())
    drawing.tools.rectAction.trigger()
    viewer.drag((30, 10), (39, 19), drawing.plot)
    viewer.wait("marked pixels", lambda: drawing.marked.any())
    drawn = drawing.marked
    drawing.save(tmp_path / "drawn.npy")
    viewer.wait("that it is used", lambda: words(part.mask_file) == "Mask: drawn.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "drawn.npy"), drawn)
    # In detector pixels, to about one: an end of a drag is on a screen pixel.
    rows, columns = np.nonzero(drawn)
    np.testing.assert_allclose((rows.min(), rows.max()), (10, 19), atol=1)
    np.testing.assert_allclose((columns.min(), columns.max()), (30, 39), atol=1)
    viewer.click(part.clear_mask)
    viewer.wait("no mask", lambda: part.mask_file.text() == "Mask: none")

    assert not plot.mask_tint.is_drawn
    player.device.LoadMask(str(tmp_path / "bad.npy"))
    assert json.loads(player.device.Mask)
    player.prepare(ZYLA, scan)
    player.play(ZYLA, frames, scan)
    viewer.wait("the mask", lambda: words(part.mask_file) == "Mask: bad.npy")
    viewer.wait("its tint", lambda: plot.mask_tint.is_drawn)
    viewer.click(part.clear_mask)
    viewer.wait("no mask", lambda: part.mask_file.text() == "Mask: none")
    viewer.wait("no tint", lambda: not plot.mask_tint.is_drawn)
    player.write(Camera="")
