"""Which sum a partial sum belongs to, and what becomes of ended ones."""

import math
import time

import numpy as np
import pytest

from pipeline.model.parameters import Settings
from pipeline.protocols.batch import PartialSum, SparseImage
from pipeline.reducer.accumulation import Accumulation


def partial(event: int, accumulation_id: int = 1, accumulate: bool = True, **changed) -> PartialSum:
    values = {
        "mapping": "m",
        "stream": "pilatus",
        "unit": "TOT",
        "shape": (2, 3),
        "image": np.full((2, 3), float(event)),
        "valid": None,
    }
    return PartialSum(
        accumulate=accumulate,
        accumulation_id=accumulation_id,
        events=(event,),
        frames=(event - 1,),
        **(values | changed),
    )


@pytest.fixture
def sums() -> Accumulation:
    return Accumulation()


def add(sums: Accumulation, part: PartialSum, worker: str = "w1", scan_order: int = 1) -> None:
    sums.add_partial(part, worker, scan_order, str(scan_order), Settings())


def test_a_newer_id_starts_a_new_sum_and_older_frames_are_counted(sums) -> None:
    add(sums, partial(1))
    add(sums, partial(2, accumulation_id=2))
    add(sums, partial(3, accumulation_id=1))
    assert sums.current.count == 1
    assert [total.count for total in sums.ended] == [1]
    assert sums.late == 1


def test_ended_sums_are_taken_out_once_and_in_order(sums) -> None:
    for number in (1, 2, 3):
        add(sums, partial(number, accumulation_id=number))
    assert sums.take_ended(before=-math.inf) == []
    first, second = sums.ended
    assert first.ended_at <= second.ended_at <= time.monotonic()
    assert sums.take_ended() == [first, second]
    assert sums.ended == ()
    assert sums.take_ended() == []


def test_only_sums_that_ended_early_enough_are_taken(sums) -> None:
    for number in (1, 2, 3):
        add(sums, partial(number, accumulation_id=number))
    first, second = sums.ended
    first.ended_at, second.ended_at = 10.0, 20.0
    assert sums.take_ended(before=20.0) == [first]
    assert sums.ended == (second,)


def test_a_worker_that_is_behind_adds_to_the_sum_before(sums) -> None:
    add(sums, partial(1, unit="ADU"), "w1")
    add(sums, partial(2, unit="ADU"), "w2")
    add(sums, partial(3, unit="TOT"), "w1")
    add(sums, partial(4, unit="ADU"), "w2")
    assert [(total.unit, total.count) for total in sums.ended] == [("ADU", 3)]
    assert sums.current.count == 1


def test_the_newest_frame_is_shown_forwarded_or_summed(sums) -> None:
    add(sums, partial(1))
    add(sums, partial(2, accumulate=False))
    assert sums.shown.count == 1
    assert sums.shown.image[0, 0] == 2.0
    add(sums, partial(3))
    assert sums.shown is sums.current
    add(sums, partial(2, accumulate=False))
    assert sums.shown is sums.current, "an older frame takes nobody's place"


def test_a_pixel_that_stands_twice_in_a_sparse_image_counts_twice(sums) -> None:
    sparse = SparseImage(np.array([4, 4, 0]), np.array([1, 2, 5]))
    add(sums, partial(1, image=sparse, unit="counts"))
    np.testing.assert_array_equal(sums.current.image, [[5, 0, 0], [0, 3, 0]])
    assert sums.current.image.dtype == np.int64


def test_every_change_of_what_is_shown_is_counted(sums) -> None:
    add(sums, partial(1))
    assert sums.changes == 2
    assert sums.reset(2)
    assert not sums.reset(2)
    assert sums.changes == 3
    assert sums.shown is None
