"""What is shown belongs together: nothing of an older image stays beside a newer one, or none."""

import numpy as np
import pytest
from support.viewer_scans import SCAN, show_pilatus

from pipeline.simulation.scan import detector_frames

pytestmark = [pytest.mark.gui, pytest.mark.slow]

ZYLA = "andor3_zyla10"


def nothing_is_shown(viewer) -> bool:
    """Tell whether the window has nothing of any image."""
    window, plot = viewer.window, viewer.plot
    table = window.roi_table.table
    means = [table.item(row, 5).text() for row in range(table.rowCount())]
    return (
        "no image" in viewer.title
        and plot.image_shape is None
        and plot.shown.getData(copy=False).size == 0
        and not plot.getAllImages()
        and not plot.columns.means.size
        and not plot.rows.means.size
        and not plot.readout.text()
        and all(mean in ("", "–") for mean in means)
        and not window.image.rois.shape("a").isVisible()
        and not window.image.rings.pieces_drawn
        and not window.geometry_panel.pick_button.isEnabled()
        and not window.roi_table.draw_button.isEnabled()
    )


def test_reset_and_another_camera_leave_nothing_of_the_image_before(viewer, player) -> None:
    window, plot = viewer.window, viewer.plot
    player.write(Rois='{"a": {"x": 1200, "y": 100, "width": 100, "height": 200}}')
    viewer.wait("the start", lambda: window.image.rois.shape("a") and nothing_is_shown(viewer))
    player.write(PhotonEnergy=13.5, Distance=0.131, BeamX=210.0, BeamY=373.0, QValues=(1.51,))
    player.write(GeometryCamera="pilatus")
    show_pilatus(player, viewer)
    viewer.click_image(1300, 700)
    viewer.wait("the readout", plot.readout.text)
    viewer.wait("the ROI", window.image.rois.shape("a").isVisible)
    viewer.wait("its mean", lambda: window.roi_table.table.item(0, 5).text() not in ("", "–"))
    viewer.wait("a ring", lambda: window.image.rings.pieces_drawn)
    plot.setLimits(1200, 1400, 600, 800)
    viewer.wait("finer pixels", lambda: plot.shown.getScale()[0] == 1)
    viewer.click(window.tools.reset)
    viewer.wait("nothing", lambda: nothing_is_shown(viewer))

    plot.resetZoom()
    player.prepare(ZYLA, SCAN)
    player.play(ZYLA, detector_frames(ZYLA, 1, SCAN.frame_positions), SCAN)
    player.wait_finished()
    viewer.wait("the other camera", lambda: plot.image_shape == (2048, 2048))
    assert len(plot.columns.edges) == plot.shown.getData(copy=False).shape[1] + 1
    viewer.wait("the whole of it", lambda: plot.columns.edges[-1] >= 2047)
    assert ZYLA in viewer.title
    assert window.image.rois.shape("a").isVisible()


def test_the_values_are_those_of_the_smaller_image_that_came(viewer, player) -> None:
    plot = viewer.plot
    player.write(Accumulate=True)
    player.prepare(ZYLA, SCAN)
    player.play(ZYLA, detector_frames(ZYLA, 1, SCAN.frame_positions), SCAN)
    player.wait_finished()
    viewer.wait("the image", lambda: plot.image_shape == (2048, 2048))
    viewer.click_image(2000, 2000)
    viewer.wait("the readout", plot.readout.text)
    show_pilatus(player, viewer)
    viewer.wait("no readout outside of the image", lambda: not plot.readout.text())
    assert len(plot.columns.edges) == plot.shown.getData(copy=False).shape[1] + 1
    assert np.nanmax(plot.columns.edges) < 1480
