"""When the controller has to be asked how far a scan is."""

from dataclasses import replace

import pytest

from femtotango.component.kept import KeptScan
from femtotango.component.newest_scan import NewestScan
from femtotango.component.results_poller import Observation
from femtotango.component.scan_progress import Scan
from femtotango.dranspose_client.services import Config, Progress, Service

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
