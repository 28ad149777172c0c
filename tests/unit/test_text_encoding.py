from hypothesis import given
from hypothesis import strategies as st

from femtotango.text_encoding import ascii_only, carriable, latin


@given(st.text())
def test_attributes_and_errors_get_what_they_can_carry(text):
    assert carriable(latin(text))
    assert ascii_only(text).isascii()


@given(st.text(st.characters(max_codepoint=255)))
def test_what_an_attribute_can_carry_stays(text):
    assert latin(text) == text


def test_common_signs_are_spelled_out():
    assert ascii_only("1 … 5 Å², größer") == "1 ... 5 angstrom^2, gro?er"
    assert latin("1 … 5 µm β") == "1 ... 5 um ?"
