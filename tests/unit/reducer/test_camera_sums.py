"""The sums of several cameras: apart, but with one id and one series of numbers."""

import numpy as np
import pytest

from pipeline.model.parameters import Settings
from pipeline.protocols.batch import PartialSum
from pipeline.reducer.camera_sums import CameraSums

A, B = "pilatus", "andor3_zyla12"


def add(sums: CameraSums, stream: str, event: int, scan: int = 1, accumulation_id: int = 1) -> int:
    partial = PartialSum(
        mapping="m",
        stream=stream,
        unit="ADU",
        shape=(2, 2),
        accumulate=True,
        accumulation_id=accumulation_id,
        events=(event,),
        frames=(event,),
        image=np.ones((2, 2)),
        valid=None,
    )
    return sums.add_partial(partial, "w1", scan, str(scan), Settings(), stream == A)


@pytest.fixture
def sums() -> CameraSums:
    return CameraSums()


def test_each_camera_has_a_sum_and_each_sum_a_number(sums) -> None:
    assert [add(sums, stream, event) for event, stream in enumerate((A, B, A))] == [1, 2, 1]
    assert {total.stream: total.count for total in sums.growing} == {A: 2, B: 1}
    assert sums.streams == (A, B)
    assert [total.first for total in sums.growing] == [True, False]
    assert sums.shown("andor3_balor") is None


def test_a_reset_ends_the_sums_of_all_cameras(sums) -> None:
    add(sums, A, 0)
    add(sums, B, 1)
    sums.reset(2)
    assert [total.stream for total in sums.ended] == [A, B]
    assert sums.growing == sums.streams == ()
    assert add(sums, B, 2, accumulation_id=1) == 0
    assert sums.late == 1
    assert add(sums, B, 3, accumulation_id=2) == 3


def test_a_camera_that_comes_later_has_the_same_id(sums) -> None:
    add(sums, A, 0, accumulation_id=5)
    assert add(sums, B, 1, accumulation_id=4) == 0
    assert sums.of("andor3_balor").accumulation_id == 5


def test_a_scan_without_a_camera_ends_its_sum_which_is_still_shown(sums) -> None:
    add(sums, A, 0, scan=1)
    add(sums, B, 1, scan=1)
    add(sums, B, 0, scan=2)
    sums.end_absent(2, [B])
    assert [total.stream for total in sums.take_ended()] == [A]
    assert sums.shown(A) is not None
    assert [total.stream for total in sums.growing] == [B]
    add(sums, A, 0, scan=3)
    shown = sums.shown(A)
    assert shown is not None and shown.count == 1
