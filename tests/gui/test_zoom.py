"""Which pixels a view needs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from femtotango.gui.plots.zoom import Region, View, block_size, region_for

PILATUS, BALOR = (831, 1475), (4104, 4128)


@pytest.mark.parametrize(
    ("image", "binning"), [(PILATUS, 3), (BALOR, 9), ((512, 512), 1), ((2048, 2048), 4)]
)
def test_binning_of_a_preview_follows_from_the_shapes(image: tuple[int, int], binning: int) -> None:
    preview = (-(-image[0] // binning), -(-image[1] // binning))
    assert block_size(image, preview) == binning


@pytest.mark.parametrize("preview", [(0, 0), (277, 491), (512, 512), (277,)])
def test_a_preview_of_another_image_is_known(preview: tuple[int, ...]) -> None:
    assert block_size(PILATUS, preview) == 0


def full_view(image: tuple[int, int], width: int, height: int) -> View:
    return View(-0.5, image[1] - 0.5, -0.5, image[0] - 0.5, width, height)


@pytest.mark.parametrize(
    ("image", "preview", "screen"),
    [(PILATUS, 3, (600, 338)), (PILATUS, 3, (490, 276)), (BALOR, 9, (450, 447))],
)
def test_the_full_view_of_a_small_screen_is_the_preview(
    image: tuple[int, int], preview: int, screen: tuple[int, int]
) -> None:
    assert region_for(full_view(image, *screen), image, preview) is None


@pytest.mark.parametrize(
    ("image", "preview", "screen", "binning"),
    [(PILATUS, 3, (1200, 676), 1), (BALOR, 9, (700, 700), 5), (BALOR, 9, (1400, 1400), 2)],
)
def test_the_full_view_of_a_large_screen_is_fetched(
    image: tuple[int, int], preview: int, screen: tuple[int, int], binning: int
) -> None:
    region = region_for(full_view(image, *screen), image, preview)
    assert region == Region(0, 0, image[1], image[0], binning)


def test_a_zoomed_view_is_fetched_at_the_resolution_of_the_screen() -> None:
    view = View(999.5, 1999.5, 499.5, 1499.5, 500, 500)
    assert region_for(view, BALOR, 9) == Region(1000, 500, 1000, 1000, 2)


def test_a_view_that_leaves_the_image_is_cut_to_it() -> None:
    view = View(-100.0, 99.5, 700.5, 1000.0, 400, 400)
    assert region_for(view, PILATUS, 3) == Region(0, 701, 100, 130, 1)


def test_a_view_beside_the_image_needs_nothing() -> None:
    assert region_for(View(2000, 2100, 0, 100, 500, 500), PILATUS, 3) is None


def test_a_slightly_zoomed_view_is_fine_enough_in_the_preview() -> None:
    assert region_for(View(0, 4000, 0, 4000, 400, 400), BALOR, 9) is None


numbers = st.floats(-5000, 9000)
sizes = st.floats(0.1, 9000)


@given(numbers, sizes, numbers, sizes, st.integers(1, 2500), st.integers(1, 1500))
def test_a_region_covers_what_is_seen_and_not_much_more(
    x: float, width: float, y: float, height: float, columns: int, rows: int
) -> None:
    view = View(x, x + width, y, y + height, columns, rows)
    region = region_for(view, BALOR, 9)
    if region is None:
        return
    assert 1 <= region.binning < 9
    assert region.width >= 1 and region.height >= 1
    assert region.x >= 0 and region.x + region.width <= BALOR[1]
    assert region.y >= 0 and region.y + region.height <= BALOR[0]
    assert region.x - 0.5 <= max(view.x_min, -0.5)
    assert region.x + region.width - 0.5 >= min(view.x_max, BALOR[1] - 0.5)
    assert region.width <= width + 2 + region.binning
    assert region.height <= height + 2 + region.binning
    # As fine as the screen, in the direction that shows more of its pixels.
    assert region.binning <= max(1, min(width / columns, height / rows))
