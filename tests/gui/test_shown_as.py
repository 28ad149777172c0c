"""Values per frame, differences to a kept image, parts of rings, curves of earlier sums."""

import numpy as np
import pytest

from femtotango.gui.plots.kept_curves import KeptCurves, SumCurve
from femtotango.gui.plots.ring_style import outside_of_data, pieces
from femtotango.gui.plots.shown_as import KeptImage, Part, ShownAs, in_blocks

SHAPE = (7, 10)
RNG = np.random.default_rng(1)
IMAGE = RNG.poisson(5, SHAPE).astype(np.float32)
IMAGE[2, 3] = np.nan
BEFORE = KeptImage("pilatus", 4, 2 * IMAGE)


@pytest.mark.parametrize("largest", [False, True])
def test_blocks_are_those_of_the_device(largest: bool) -> None:
    from pipeline.frames.binning import bin_blocks

    image = IMAGE.copy()
    image[0:3, 0:3] = np.nan
    expected = bin_blocks(np.nan_to_num(image), 3, np.isfinite(image))
    blocks = in_blocks(image, 3, largest)
    np.testing.assert_allclose(blocks, expected.max if largest else expected.mean, rtol=1e-6)


def test_values_are_divided_by_the_frames_only_when_that_was_chosen() -> None:
    part = Part(0, 0, 1, largest=False)
    assert ShownAs().values(IMAGE, part, 2) is IMAGE
    np.testing.assert_array_equal(ShownAs(per_frame=True).values(IMAGE, part, 2), IMAGE / 2)


@pytest.mark.parametrize("largest", [False, True])
@pytest.mark.parametrize(
    ("corner", "binning"), [((0, 0), 1), ((3, 2), 1), ((0, 0), 3), ((3, 6), 3)]
)
def test_a_difference_is_per_frame_and_pixel_by_pixel(
    corner: tuple[int, int], binning: int, largest: bool
) -> None:
    shown_as = ShownAs(difference=True, kept=BEFORE)
    x, y = corner
    blocks = in_blocks(IMAGE[y:, x:], binning, largest)
    values = shown_as.values(blocks, Part(x, y, binning, largest), 1)
    np.testing.assert_allclose(values, blocks / 2, rtol=1e-6)


def test_only_images_of_the_same_camera_and_size_are_compared() -> None:
    shown_as = ShownAs(difference=True, kept=BEFORE)
    assert shown_as.of("pilatus", SHAPE).difference
    assert not shown_as.of("andor3_zyla12", SHAPE).difference
    assert not shown_as.of("pilatus", (8, 10)).difference


def test_rings_outside_of_the_data_are_in_gaps_and_at_the_edge() -> None:
    blocks = np.zeros((50, 50), np.float32)
    blocks[:, 24:26] = np.nan
    # A line across the image, with a gap in it.
    points = np.array([(50.0, float(x)) for x in range(-5, 105)])
    points = np.insert(points, 10, np.nan, axis=0)
    drawn = outside_of_data(points, blocks, 2, (100, 100))
    places = points[drawn, 1]
    assert set(places) == {*map(float, range(-5, 4)), *map(float, range(48, 52)), *places[-9:]}
    assert min(places[-9:]) == 96 and max(places) == 104
    lines = pieces(points, drawn)
    assert [len(line) for line in lines] == [9, 4, 9]
    assert len(pieces(points, np.ones(len(points), bool))) == 2


def curve(name: str) -> SumCurve:
    return SumCurve(name, np.arange(3.0), np.arange(3.0))


def test_the_last_curve_of_each_sum_is_kept_until_they_are_cleared() -> None:
    kept = KeptCurves()
    for keeping in (False, True):
        kept.keeping = keeping
        for frames in (1, 2, 6, 0):
            kept.see(curve(f"{frames} frames") if frames else None, frames)
    assert [one.name for one in kept] == ["6 frames"]
    for frames in (6, 0):
        kept.see(curve("6 frames") if frames else None, frames)
    assert [one.name for one in kept] == ["6 frames", "6 frames (2)"]
    kept.clear()
    assert not list(kept)
    for number in range(12):
        kept.see(curve(f"sum {number}"), 5)
        kept.see(None, 0)
    assert len(list(kept)) == 8
