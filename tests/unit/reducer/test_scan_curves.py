"""Curves of several cameras on one axis."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.parameters import Settings
from pipeline.model.roi import Roi
from pipeline.protocols.batch import Batch, CameraResult, EventResult, FrameResult
from pipeline.reducer.scan import ScanState
from pipeline.reducer.scan_curves import ScanCurves, common_axis, place

A, B = "pilatus", "andor3_zyla12"
numbers = st.lists(st.integers(0, 50), unique=True, max_size=20).map(sorted)


@given(numbers, numbers)
def test_every_value_stands_at_its_frame_number(first: list[int], second: list[int]) -> None:
    axes = [np.array(first, float), np.array(second, float)]
    axis = common_axis(axes)
    assert axis.tolist() == sorted({*first, *second})
    for x in axes:
        placed = place(x, -x, axis)
        seen = ~np.isnan(placed)
        np.testing.assert_array_equal(axis[seen], x)
        np.testing.assert_array_equal(placed[seen], -x)


def test_a_camera_that_counts_anew_is_placed_in_order() -> None:
    anew, other = np.array([0.0, 1, 0, 1]), np.array([0.0, 1, 2])
    axis = common_axis([anew, other])
    np.testing.assert_array_equal(axis, anew)
    np.testing.assert_array_equal(place(other, other, axis), [0, 1, 2, math.nan])
    assert len(common_axis([])) == 0


def test_a_roi_has_the_curve_of_its_own_camera() -> None:
    scan = ScanState("m", 1)
    event = 0
    for shot in range(4):
        for camera, names in ((A, ("free", "gone")), (B, ("free", "zyla"))):
            if (camera, shot) == (B, 2):
                continue
            value = shot + (0 if camera == A else 100)
            frame = FrameResult(camera, shot, names, np.full(2, float(value)), False, 0)
            result = EventResult((CameraResult(camera, frame=frame),), (camera,))
            scan.add_batch(Batch("boot", event, "m", "w1", event, result), Settings())
            event += 1
    rois = {
        "free": Roi(0, 0, 1, 1),
        "zyla": Roi(0, 0, 1, 1, B),
        "no": Roi(0, 0, 1, 1, "andor3_balor"),
    }
    curves = ScanCurves(scan, rois)
    assert curves.frame_names == ("free", "gone", "zyla")
    assert curves.x().tolist() == [0, 1, 2, 3]
    assert curves.frames("free").tolist() == curves.frames("gone").tolist() == [0, 1, 2, 3]
    np.testing.assert_array_equal(curves.frames("zyla"), [100, 101, math.nan, 103])
    np.testing.assert_array_equal(curves.frames("no"), [math.nan] * 4)
    np.testing.assert_array_equal(curves.newest(), [3, 103, math.nan])
    assert curves.counts().tolist() == [4, 3, 0]
    assert curves.sums().tolist() == [6, 304, 0]
    packed = curves.packed()
    assert packed.means.shape == packed.errors.shape == (3, 4)
