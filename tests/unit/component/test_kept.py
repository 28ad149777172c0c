"""What a device leaves to its next life comes back from Tango's properties as it was."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.repeats import repeats

from femtotango.component.kept import (
    Kept,
    KeptScan,
    from_properties,
    to_properties,
)
from femtotango.component.raw_data import Drop, Loss, RawData
from femtotango.component.scan_progress import Scan
from pipeline.model.cameras import CAMERAS, ranked

texts = st.text(max_size=20)
losses = st.builds(
    Loss,
    reason=texts,
    number=st.integers(0),
    mapping=texts,
    process=texts,
    first=st.integers(0),
    frames=texts,
    closed=st.booleans(),
)
drops = st.builds(
    Drop,
    number=st.integers(0),
    mapping=texts,
    process=texts,
    first=st.integers(0),
    raw_off=st.booleans(),
    until=st.none() | st.integers(-1),
    over=st.none() | st.floats(0, 1e6),
)
scans = st.builds(
    Scan,
    number=st.integers(0),
    mapping=st.text(min_size=1, max_size=20),
    workers=st.frozensets(texts, max_size=3),
    services=st.frozensets(st.tuples(texts, texts), max_size=3),
    lost=st.frozensets(texts, max_size=3),
    frames=st.none() | st.integers(0),
    burst=st.integers(1),
    cameras=st.lists(texts, max_size=3).map(tuple),
    continuous=st.booleans(),
    failed_before=st.none() | st.integers(0),
    stopped=st.booleans(),
    done=st.booleans(),
)
everything = st.builds(
    Kept,
    flow=st.just(Kept().flow),
    controller=st.just(""),
    max_filter=st.just(False),
    q_values=st.lists(st.floats(0, 100), max_size=5).map(tuple),
    slots=st.just(("a", "", "b", "", "", "", "", "")),
    cameras=st.sets(st.sampled_from(sorted(CAMERAS))).map(ranked),
    scan=st.builds(
        KeptScan,
        scan=scans,
        known=st.lists(st.text(min_size=1), min_size=1, max_size=1).map(tuple),
        given_up=st.integers(0),
        last_error=texts,
    ),
    raw_data=st.builds(
        RawData,
        drop=st.none() | drops,
        losses=st.lists(losses, max_size=3).map(tuple),
        off=st.booleans(),
        acknowledged=texts,
    ),
)


@settings(max_examples=repeats(30, 100))
@given(everything)
def test_what_is_kept_comes_back(kept):
    assert from_properties(to_properties(kept)) == (kept, {})


@given(everything)
def test_properties_hold_nothing_that_a_database_or_a_file_could_spoil(kept):
    for values in to_properties(kept).values():
        assert values, "an empty property breaks Tango's files"
        for value in values:
            assert value
            assert value.isascii()
            assert value.isprintable()
            assert not set(value) & set("\"'\\")


@pytest.mark.parametrize("name", list(to_properties(Kept())))
def test_what_cannot_be_read_is_named_and_the_rest_is_used(name):
    kept = Kept(
        q_values=(1.5,),
        slots=("a", *[""] * 7),
        scan=KeptScan(Scan(number=7, mapping="m"), ("m",)),
        raw_data=RawData(off=True),
    )
    properties = {**to_properties(kept), name: ["{nonsense"]}
    found, refused = from_properties(properties)
    if name == "KeptRoiSlots":
        assert not refused, "any text is a name"
    else:
        assert name in refused[name]
        assert "nonsense" in refused[name]
    assert (found.scan.scan.number == 7) == (name != "KeptScan")


def test_a_scan_without_its_trigger_map_is_done():
    kept = replace(Kept(), scan=KeptScan(Scan(number=3, done=False, polls_left=2), ("m",)))
    found, _ = from_properties(to_properties(kept))
    assert found.scan.scan == Scan(number=3, done=True)


def test_nothing_kept_is_a_fresh_device():
    assert from_properties({}) == (Kept(), {})


def test_the_camera_that_an_earlier_version_kept_is_read():
    kept = replace(Kept(), scan=KeptScan(Scan(number=3, mapping="m", cameras=("pilatus",)), ("m",)))
    properties = to_properties(kept)
    (text,) = properties["KeptScan"]
    written = "%22cameras%22: [%22pilatus%22]"
    assert written in text
    earlier = {"KeptScan": [text.replace(written, "%22camera%22: %22pilatus%22")]}
    assert from_properties(earlier) == (kept, {})
