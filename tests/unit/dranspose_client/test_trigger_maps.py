from hypothesis import given
from hypothesis import strategies as st

from femtotango.dranspose_client.trigger_maps import (
    CONTINUOUS_PARTS,
    PART,
    TriggerMap,
    continuous_map,
    flush_map,
    scan_map,
)

steps_and_bursts = st.one_of(
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.tuples(st.integers(1, 3), st.integers(900, 3100)),
)


def expand(trigger_map: TriggerMap, stream: str) -> list:
    events: list = []
    for name in trigger_map.sequence:
        part = trigger_map.parts[name]
        length = len(next(iter(part.values())))
        events += part.get(stream, [None] * length)
    return events


@given(steps_and_bursts, st.sampled_from(["pilatus", "andor3_balor"]))
def test_each_point_has_its_frames_and_one_record_with_the_last(size, camera):
    steps, burst = size
    trigger_map = scan_map(camera, steps, burst, records=True)
    frames, records = expand(trigger_map, camera), expand(trigger_map, "sardana")
    assert len(frames) == len(records) == steps * burst
    assert trigger_map.events == steps * burst + 2
    assert None not in frames
    assert [i for i, record in enumerate(records) if record is not None] == list(
        range(burst - 1, steps * burst, burst)
    )


@given(steps_and_bursts)
def test_a_record_goes_to_the_worker_of_its_frame(size):
    trigger_map = scan_map("pilatus", *size, records=True)
    for part in trigger_map.parts.values():
        for frame, record in zip(part["pilatus"], part["sardana"], strict=True):
            assert record in (None, frame)


@given(steps_and_bursts, st.booleans())
def test_parts_stay_small_and_streams_are_equally_long(size, records):
    trigger_map = scan_map("andor3_zyla10", *size, records=records)
    for part in trigger_map.parts.values():
        assert {len(events) for events in part.values()} <= {len(part["andor3_zyla10"])}
        assert len(part["andor3_zyla10"]) <= PART
    assert ("sardana" in trigger_map.parts[trigger_map.sequence[0]]) == records


def test_short_scans_and_big_frames_are_spread_frame_by_frame():
    for trigger_map in (
        scan_map("pilatus", 5, 6, records=False),
        scan_map("andor3_balor", 1, 900, records=False),
    ):
        (part,) = trigger_map.parts.values()
        (frames,) = part.values()
        assert len({frame[0]["constraint"] for frame in frames if frame}) == len(frames)


def test_long_scans_of_small_frames_are_given_out_in_groups():
    frames = expand(scan_map("pilatus", 1, 900, records=False), "pilatus")
    constraints = [frame[0]["constraint"] for frame in frames]
    assert constraints == [i // 8 for i in range(900)]


def test_continuous_map_writes_out_the_start_so_that_the_flush_comes_first():
    plain, flushing = continuous_map("pilatus", False), continuous_map("pilatus", True)
    assert plain.events == CONTINUOUS_PARTS * PART + 1
    assert flushing.events == plain.events + 1
    assert flushing.sequence[:2] == ["flush", "start"]
    assert not flushing.wrap
    assert "constraint" not in flushing.parts["start"]["pilatus"][0][0]
    assert flushing.parts["flush"] == flush_map().parts["flush"]


def test_flush_reaches_all_workers_with_one_event():
    assert flush_map().events == 1
    assert flush_map().parts == {"flush": {"sardana": [[{"tags": ["generic"]}]]}}
