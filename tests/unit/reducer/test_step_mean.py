import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reducer.step_mean import step_mean, with_another


def test_step_mean_is_mean_and_standard_error() -> None:
    values = np.array([1.0, 2.0, 4.0, math.nan])
    step = step_mean(values)
    assert step.mean == pytest.approx(7 / 3)
    assert step.error == pytest.approx(np.std([1, 2, 4], ddof=1) / math.sqrt(3))
    assert step.n == 3
    assert math.isnan(step_mean(np.array([5.0])).error)
    assert step_mean(np.array([math.nan])).n == 0


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=20))
def test_a_value_that_comes_late_counts_as_if_it_had_come_in_time(values: list[float]) -> None:
    step = step_mean(np.array(values[:1]))
    for value in values[1:]:
        step = with_another(step, value)
    expected = step_mean(np.array(values))
    assert step.n == expected.n
    assert step.mean == pytest.approx(expected.mean, abs=1e-9)
    assert step.error == pytest.approx(expected.error, abs=1e-6, nan_ok=True)
    assert with_another(step, math.nan) is step
