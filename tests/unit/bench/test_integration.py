"""The benchmark's own checks against pyFAI hold."""

import pytest
from bench.integration import azimuthal_rows, rings_rows


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_it_measures_what_it_has_checked() -> None:
    rows = azimuthal_rows(("pilatus",), rounds=1)
    assert [row.unit for row in rows] == ["counts", "ADU", "ADU, dark and polarisation"]
    assert all(row.image_ms > 0 and row.pyfai_image_ms > 0 for row in rows)
    assert [row.tilt for row in rings_rows((0.0, 80.0), rounds=1)] == [0.0, 80.0]
