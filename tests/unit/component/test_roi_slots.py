from hypothesis import given
from hypothesis import strategies as st

from femtotango.component.roi_slots import EMPTY, SLOTS, assign

names = st.lists(st.sampled_from("abcdefghijklmn"), unique=True)


@given(st.lists(names, max_size=6))
def test_a_name_keeps_its_slot_until_it_is_removed(edits):
    slots = EMPTY
    for wanted in edits:
        changed = assign(slots, wanted)
        assert len(changed) == SLOTS
        for before, after in zip(slots, changed, strict=True):
            assert after == before or before not in wanted
        shown = [name for name in changed if name]
        assert len(shown) == len(set(shown)) == min(SLOTS, len(wanted))
        assert set(shown) <= set(wanted)
        slots = changed


def test_a_new_name_takes_the_first_free_slot():
    slots = assign(EMPTY, ["a", "b", "c"])
    slots = assign(slots, ["b", "c"])
    assert slots[:3] == ("", "b", "c")
    assert assign(slots, ["b", "c", "d", "e"])[:4] == ("d", "b", "c", "e")


def test_the_ninth_waits_for_a_free_slot():
    nine = list("abcdefghi")
    slots = assign(EMPTY, nine)
    assert "i" not in slots
    assert assign(slots, nine[1:])[0] == "i"


def test_slots_from_an_older_memory_are_taken_as_far_as_they_go():
    assert assign(("x", "a"), ["a", "b"])[:3] == ("b", "a", "")
