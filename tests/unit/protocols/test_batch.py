"""What travels from worker to reducer arrives as it was."""

import pickle

import numpy as np
import pytest

from pipeline.model.cameras import Unit
from pipeline.protocols.batch import PartialSum, SparseImage


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (16, 8)])
@pytest.mark.parametrize("masked", [False, True])
def test_a_partial_sum_arrives_with_its_mask(shape: tuple[int, int], masked: bool) -> None:
    valid = np.random.default_rng(2).random(shape) < 0.7 if masked else None
    sent = PartialSum(
        mapping="scan",
        stream="pilatus",
        unit=Unit.TOT,
        shape=shape,
        accumulate=True,
        accumulation_id=1,
        events=(1, 2),
        frames=(0, 1),
        image=np.arange(float(shape[0] * shape[1])).reshape(shape),
        valid=valid,
        missed=SparseImage(np.zeros(1, np.int32), np.ones(1, np.uint32)) if masked else None,
    )
    come = pickle.loads(pickle.dumps(sent))
    assert (come.valid is None) == (valid is None)
    if valid is not None:
        assert come.valid.dtype == bool
        np.testing.assert_array_equal(come.valid, valid)
    np.testing.assert_array_equal(come.image, sent.image)
    assert (come.events, come.shape, come.unit) == (sent.events, sent.shape, sent.unit)
