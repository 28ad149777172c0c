"""The words behind a region's name in `femto_roi`; no server needed."""

import pytest

from femtotango.sardana.access import FemtomaxError
from femtotango.sardana.region_words import Words, comparison, read_words
from pipeline.model.roi import Roi


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", Words()),
        ("1 2.5 3 4", Words((1, 2.5, 3, 4))),
        ("1 2 3 4 zyla12", Words((1, 2, 3, 4), "zyla12")),
        ("1 2 3 4 Minus dark", Words((1, 2, 3, 4), comparison={"minus": "dark"})),
        (
            "1 2 3 4 pilatus over column:i0 minus minus",
            Words((1, 2, 3, 4), "pilatus", {"over": "column:i0", "minus": "minus"}),
        ),
        ("over 7", Words(comparison={"over": "7"})),
        ("1 2 3", Words((1, 2, 3))),
    ],
)
def test_words_are_understood(text: str, words: Words) -> None:
    assert read_words(text.split()) == words


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("divided wide", "'divided' is not understood: use minus <region>"),
        ("1 2 3 4 pilatus zyla12", "'zyla12' is not understood"),
        ("over", "Which region. over <region>"),
        ("minus a minus b", "minus stands there twice"),
    ],
)
def test_other_words_are_refused(text: str, why: str) -> None:
    with pytest.raises(FemtomaxError, match=why):
        read_words(text.split())


def test_a_comparison_is_shown_as_it_is_written() -> None:
    assert comparison(Roi(0, 0, 1, 1)) == ""
    roi = Roi(0, 0, 1, 1, minus="dark", over="column:i0")
    assert read_words(comparison(roi).split()).comparison == {"minus": "dark", "over": "column:i0"}
