"""When the controller has to be asked how far a scan is."""

from dataclasses import replace

import pytest

from femtotango.component.kept import KeptScan
from femtotango.component.newest_scan import NewestScan
from femtotango.component.results_poller import Observation
from femtotango.component.scan_progress import Scan, failed_frames
from femtotango.dranspose_client.services import Config, Progress, Service
from pipeline.protocols.snapshot import Health, Published

DONE = Scan(number=1, mapping="m", progress=Progress(5, 5, 5, finished=True))


def config(mapping):
    return Config((), (), Service("reducer", "reducer", "u", "", mapping), "", {})


@pytest.mark.parametrize(
    ("scan", "mapping", "wanted"),
    [
        (DONE, "m", False),
        (DONE, "another", True),
        (replace(DONE, done=False), "m", True),
        (replace(DONE, progress=Progress(5, 5, 5, finished=False)), "m", True),
        (replace(DONE, progress=None, stopped=True), "m", False),
        (DONE, "", False),
        (replace(DONE, done=False), "", True),
    ],
)
def test_progress_is_wanted_of_a_scan_that_runs_or_is_new(scan, mapping, wanted):
    newest = NewestScan(KeptScan(scan))
    newest.posted("m")
    assert newest.wants_progress(config(mapping), Observation()) is wanted


def test_the_trigger_map_that_is_met_first_is_followed():
    assert NewestScan(KeptScan(DONE)).wants_progress(config("m"), Observation())


def test_frames_that_failed_before_the_first_results_are_of_no_scan_that_is_met():
    newest = NewestScan(KeptScan())
    newest.follow(config("m"), Progress(5, 5, 2, finished=True), Observation())
    results = Observation(Published(revision=3, health=Health(failed_frames=2)), error=None)
    assert failed_frames(results.snapshot, newest.scan) == 0
    newest.follow_results(results)
    assert failed_frames(results.snapshot, newest.scan) == 0
    later = Published(revision=4, health=Health(failed_frames=3))
    assert failed_frames(later, newest.scan) == 1
