"""The first value of a type that is above a threshold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.photons.detection_kernel import first_above


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.uint64, np.int64])
@given(background=st.floats(0, 65535), threshold=st.floats(0, 65535))
def test_first_value_above_integers(dtype, background, threshold):
    first = first_above(np.dtype(dtype), background, threshold)
    if first is None:
        assert float(np.iinfo(dtype).max) - background <= threshold
        return
    assert float(first) - background > threshold
    if first > np.iinfo(dtype).min:
        assert float(int(first) - 1) - background <= threshold


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(background=st.floats(0, 65535), threshold=st.floats(0, 65535))
def test_first_value_above_floats(dtype, background, threshold):
    first = first_above(np.dtype(dtype), background, threshold)
    assert first is not None
    assert float(first) - background > threshold
    assert float(np.nextafter(first, dtype(-np.inf))) - background <= threshold
