"""Points of a ROI's earlier places are grey, in the plot, and a column of their own in a file."""

import numpy as np
import pytest
from support.viewer_scans import SCAN, show_pilatus

pytestmark = [pytest.mark.gui, pytest.mark.slow]

OLD = "a (before it was moved)"


def test_points_of_the_earlier_place_are_grey(viewer, player) -> None:
    plot = viewer.window.curves.plot
    player.write(Rois='{"a": {"x": 100, "y": 100, "width": 30, "height": 40}}')
    show_pilatus(player, viewer)
    viewer.wait("the curve", lambda: len(plot.columns.get("a", ())) == SCAN.steps)
    assert plot.getCurve(OLD) is None
    table = viewer.window.roi_table.table
    viewer.enter_cell(table, 0, 1, "200")
    viewer.wait("grey points", lambda: plot.getCurve(OLD))
    assert len(plot.getCurve(OLD).getXData()) == SCAN.steps
    assert np.isnan(plot.columns["a"]).all() and np.isfinite(plot.columns[OLD]).all()
    show_pilatus(player, viewer)
    viewer.wait("a new curve", lambda: np.isfinite(plot.columns.get("a", np.array([np.nan]))).all())
    viewer.wait("nothing grey", lambda: plot.getCurve(OLD) is None)
