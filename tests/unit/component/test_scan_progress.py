from dataclasses import replace

import pytest

from femtotango.component.scan_progress import (
    Scan,
    complete,
    ended_in_vain,
    followed,
    outstanding,
    over_elsewhere,
    series_over,
    signs_of_life,
)
from femtotango.dranspose_client.services import Config, Progress, Service
from pipeline.protocols import snapshot
from pipeline.protocols.snapshot import NOTHING

SCAN = Scan(
    number=3,
    mapping="m",
    workers=frozenset({"w1", "w2"}),
    frames=30,
    cameras=("pilatus",),
    progress=Progress(32, 32, 32, False),
    done=False,
)
SNAPSHOT = replace(
    NOTHING,
    scan=snapshot.Scan(mapping="m", ended=1, ended_workers=("w1", "w2"), processed=30),
    health=snapshot.Health(settled=1),
)


def scanned(**changes):
    return replace(SNAPSHOT, scan=replace(SNAPSHOT.scan, **changes))


def test_complete_when_all_events_all_workers_and_the_curve_are_in():
    assert complete(SNAPSHOT, SCAN)


@pytest.mark.parametrize(
    "published",
    [
        NOTHING,
        scanned(mapping="the scan before"),
        scanned(ended=0),
        scanned(ended_workers=("w1",)),
        replace(SNAPSHOT, health=snapshot.Health(settled=0)),
    ],
)
def test_not_complete_while_results_are_missing(published):
    assert not complete(published, SCAN)


@pytest.mark.parametrize(
    "scan",
    [
        replace(SCAN, progress=None),
        replace(SCAN, progress=Progress(32, 31, 32, True)),
        replace(SCAN, progress=Progress(0, 0, 0, False)),
        replace(SCAN, continuous=True),
    ],
)
def test_not_complete_while_events_are_missing(scan):
    assert not complete(SNAPSHOT, scan)


def test_replay_has_no_workers_and_is_complete_with_its_series():
    replay = replace(SCAN, workers=frozenset(), frames=None)
    assert complete(scanned(ended_workers=("replay-worker-0",)), replay)


def with_cameras(**processed):
    cameras = {name: snapshot.ScanCamera(scan_processed=n) for name, n in processed.items()}
    return replace(SNAPSHOT, cameras=cameras)


def test_outstanding_counts_what_was_neither_good_nor_failed_of_each_camera():
    assert outstanding(with_cameras(pilatus=13), SCAN) == {"pilatus": 17}
    assert outstanding(with_cameras(pilatus=30), SCAN) == {}
    assert outstanding(NOTHING, SCAN) == {"pilatus": 30}
    assert outstanding(with_cameras(), SCAN) == {"pilatus": 30}
    before = replace(with_cameras(pilatus=30), scan=snapshot.Scan(mapping="the scan before"))
    assert outstanding(before, SCAN) == {"pilatus": 30}
    assert outstanding(NOTHING, replace(SCAN, frames=None)) == {}
    two = replace(SCAN, cameras=("pilatus", "andor3_zyla12"))
    assert outstanding(with_cameras(pilatus=31, andor3_zyla12=4), two) == {"andor3_zyla12": 26}
    assert outstanding(with_cameras(pilatus=29), two) == {"pilatus": 1, "andor3_zyla12": 30}


def test_series_of_another_scan_is_not_ours():
    assert series_over(SNAPSHOT, SCAN)
    assert not series_over(SNAPSHOT, replace(SCAN, mapping="n"))


def test_a_series_that_used_up_the_trigger_map_is_over():
    unfinished = replace(with_cameras(pilatus=100, andor3_zyla12=7), scan=scanned(ended=0).scan)
    assert not series_over(unfinished, SCAN, 101)
    assert series_over(unfinished, SCAN, 100)


def test_a_trigger_map_of_others_that_brings_no_scan_is_over_with_its_events():
    flush = Scan(number=4, mapping="f", progress=Progress(1, 1, 1, True), done=False)
    assert over_elsewhere(SNAPSHOT, flush)
    assert not over_elsewhere(SNAPSHOT, replace(flush, progress=Progress(1, 1, 1, False)))
    assert not over_elsewhere(SNAPSHOT, replace(flush, cameras=("pilatus",)))
    assert not over_elsewhere(scanned(mapping="f"), flush)


def config(*workers):
    ingester = Service("ingester", "pilatus-ingester", "i", "h", "m")
    services = tuple(Service("worker", name, uuid, "h", "m") for name, uuid in workers)
    return Config((ingester,), services, None, "h", {})


def test_a_worker_that_is_started_anew_in_a_scan_is_remembered_until_it_is_done():
    begun = config(("w1", "a"), ("w2", "b"))
    scan = replace(SCAN, services=begun.sources_and_workers)
    progress = Progress(32, 20, 32, False)
    assert followed(scan, begun, progress) == replace(scan, progress=progress)
    more = config(("w1", "a"), ("w2", "b"), ("w3", "c"))
    assert not followed(scan, more, progress).lost
    restarted = followed(scan, config(("w1", "new"), ("w2", "b")), progress)
    assert restarted.lost == {"w1"}
    assert followed(restarted, begun, progress).lost == {"w1"}
    assert followed(restarted, config(("w1", "new")), progress).lost == {"w1", "w2"}
    both_listed = config(("w1", "a"), ("w1", "new"), ("w2", "b"))
    assert followed(scan, both_listed, progress).lost == {"w1"}
    assert not followed(replace(scan, done=True), config(), progress).lost


def ended(**cameras):
    found = {name: snapshot.ScanCamera(scan_ended=int(over)) for name, over in cameras.items()}
    return replace(SNAPSHOT, cameras=found)


def test_a_scan_whose_series_have_all_ended_ended_in_vain():
    scan = replace(SCAN, progress=Progress(20, 18, 35, False))
    assert ended_in_vain(ended(pilatus=True), scan)
    assert not ended_in_vain(ended(pilatus=False), scan)
    assert not ended_in_vain(NOTHING, scan)
    two = replace(scan, cameras=("pilatus", "andor3_zyla12"))
    assert not ended_in_vain(ended(pilatus=True), two)
    assert not ended_in_vain(ended(pilatus=True, andor3_zyla12=False), two)
    assert ended_in_vain(ended(pilatus=True, andor3_zyla12=True), two)
    assert not ended_in_vain(ended(pilatus=True), replace(scan, continuous=True))
    another = replace(ended(pilatus=True), scan=snapshot.Scan(mapping="the scan before"))
    assert not ended_in_vain(another, scan)


def test_a_scan_whose_trigger_map_is_used_up_ended_in_vain():
    scan = replace(SCAN, progress=Progress(35, 35, 35, True))
    assert ended_in_vain(ended(pilatus=False), scan)
    assert not ended_in_vain(scanned(mapping="the scan before"), scan), "no result is in"
    slow = replace(ended(pilatus=False), health=snapshot.Health(settled=0))
    assert not ended_in_vain(slow, scan)


def test_whatever_comes_in_is_a_sign_of_life():
    scan = replace(SCAN, progress=Progress(20, 18, 35, False))
    told = {
        signs_of_life(SNAPSHOT, scan),
        signs_of_life(SNAPSHOT, replace(scan, progress=Progress(20, 19, 35, False))),
        signs_of_life(scanned(processed=29), scan),
        signs_of_life(scanned(ended_workers=("w1",)), scan),
        signs_of_life(ended(pilatus=True), scan),
    }
    assert len(told) == 5
    other = scanned(mapping="the scan before")
    assert signs_of_life(other, scan) == signs_of_life(
        replace(other, scan=replace(other.scan, processed=1)), scan
    )
