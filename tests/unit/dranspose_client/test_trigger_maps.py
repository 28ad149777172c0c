import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.repeats import repeats

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
some_cameras = st.lists(
    st.sampled_from(["pilatus", "andor3_balor", "andor3_zyla12"]), min_size=1, unique=True
)


def expand(trigger_map: TriggerMap) -> list[dict[str, list]]:
    """Return, for each event, where each of its streams goes."""
    events: list[dict[str, list]] = []
    for name in trigger_map.sequence:
        part = trigger_map.parts[name]
        for i in range(len(next(iter(part.values())))):
            entries = {stream: entries[i] for stream, entries in part.items()}
            events.append({s: list(entry) for s, entry in entries.items() if entry is not None})
    return events


def constraints(trigger_map: TriggerMap, stream: str) -> list:
    return [e[stream][0].get("constraint") for e in expand(trigger_map) if stream in e]


@settings(max_examples=repeats(30, 100))
@given(some_cameras, steps_and_bursts, st.booleans())
def test_frames_of_a_shot_and_the_record_behind_them_have_events_of_their_own(
    cameras, size, records
):
    steps, burst = size
    trigger_map = scan_map(cameras, steps, burst, records)
    events = expand(trigger_map)
    assert all(len(event) == 1 for event in events)
    assert trigger_map.wrap
    assert trigger_map.events == len(events) + 2
    point = cameras * burst + (["sardana"] if records else [])
    assert [next(iter(event)) for event in events] == point * steps


@settings(max_examples=repeats(30, 100))
@given(some_cameras, steps_and_bursts, st.booleans())
def test_frames_of_a_shot_and_its_record_go_to_one_worker(cameras, size, records):
    trigger_map = scan_map(cameras, *size, records)
    for part in trigger_map.parts.values():
        workers = [[e for e in part[camera] if e is not None] for camera in cameras]
        assert all(of_camera == workers[0] for of_camera in workers)
        last = None
        for i in range(len(part[cameras[0]])):
            if "sardana" in part and part["sardana"][i] is not None:
                assert part["sardana"][i] == last
            last = part[cameras[-1]][i]


@settings(max_examples=repeats(30, 100))
@given(some_cameras, steps_and_bursts, st.booleans())
def test_parts_stay_small_and_streams_are_equally_long(cameras, size, records):
    for part in scan_map(cameras, *size, records).parts.values():
        assert len({len(events) for events in part.values()}) == 1
        assert len(part[cameras[0]]) <= PART


def test_short_scans_and_big_frames_are_spread_frame_by_frame():
    for trigger_map in (
        scan_map(["pilatus"], 5, 6, records=False),
        scan_map(["andor3_balor"], 1, 900, records=False),
    ):
        (stream,) = next(iter(trigger_map.parts.values()))
        numbers = constraints(trigger_map, stream)
        assert len(set(numbers)) == len(numbers)
    both = scan_map(["pilatus", "andor3_balor"], 1, 400, records=False)
    assert constraints(both, "pilatus") == list(range(400))


@pytest.mark.parametrize("cameras", [["pilatus"], ["pilatus", "andor3_zyla12"]])
def test_long_scans_of_small_frames_are_given_out_in_groups(cameras):
    trigger_map = scan_map(cameras, 1, 400, records=False)
    assert constraints(trigger_map, "pilatus") == [i // 8 for i in range(400)]


@given(some_cameras)
def test_continuous_map_writes_out_the_start_so_that_the_flush_comes_first(cameras):
    plain, flushing = continuous_map(cameras, False), continuous_map(cameras, True)
    a_part = PART // len(cameras) * len(cameras)
    assert plain.events == CONTINUOUS_PARTS * a_part + 1
    assert flushing.events == plain.events + 1
    assert flushing.sequence[:2] == ["flush", "start"]
    assert not flushing.wrap
    assert flushing.parts["start"] == {camera: [[{"tags": ["generic"]}]] for camera in cameras}
    assert flushing.parts["flush"] == flush_map().parts["flush"]


def test_flush_reaches_all_workers_with_one_event():
    assert flush_map().events == 1
    assert flush_map().parts == {"flush": {"sardana": [[{"tags": ["generic"]}]]}}
