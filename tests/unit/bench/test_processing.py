"""The benchmark of post-processing measures what it says."""

import pytest
from bench.processing import process_rows

pytestmark = pytest.mark.slow


def test_a_row_for_each_camera() -> None:
    (row,) = process_rows({"pilatus": 48}, rounds=1)
    assert row.stream == "pilatus"
    assert min(row.one, row.two, row.plain) > 0
