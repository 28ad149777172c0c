import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pipeline.protocols.packing import WireError, pack, unpack


@given(
    st.dictionaries(
        st.text(max_size=8),
        st.one_of(
            st.integers(-(2**53), 2**53),
            st.floats(allow_nan=False),
            st.text(max_size=10),
            st.lists(st.text(max_size=4), max_size=3),
            hnp.arrays(
                st.sampled_from(["<f8", ">f4", "<i8", "|u1", "|b1"]),
                hnp.array_shapes(min_dims=1, max_dims=2, min_side=0, max_side=5),
            ),
        ),
        max_size=6,
    )
)
def test_what_is_packed_comes_back(values: dict) -> None:
    back = unpack(pack(values).tobytes())
    assert list(back) == list(values)
    for name, value in values.items():
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(back[name], value)
        else:
            assert back[name] == value


@pytest.mark.parametrize("cut", [0, 5, 20, -1])
def test_cut_off_bytes_are_told(cut: int) -> None:
    data = pack({"a": np.arange(10.0)}).tobytes()
    with pytest.raises(WireError):
        unpack(data[:cut])


def test_an_array_that_stands_there_twice_is_packed_once() -> None:
    image = np.arange(1000.0)
    once, twice = pack({"a": image}), pack({"a": image, "b": image})
    assert len(twice) < len(once) + 200
    back = unpack(twice.tobytes())
    np.testing.assert_array_equal(back["a"], image)
    np.testing.assert_array_equal(back["b"], image)
