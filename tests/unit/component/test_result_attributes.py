"""What results show of a view, from which source, and when that was true."""

import math
from dataclasses import replace

import pytest

from femtotango.component.result_attributes import RESULTS
from femtotango.component.result_row import Source
from femtotango.component.results_poller import Observation
from femtotango.component.state import Pipeline, View
from pipeline.protocols.snapshot import Health, Published

ROWS = {row.name: row for row in RESULTS}
OWN = {
    "Cameras",
    "RoiNames",
    "RoiSlots",
    "ScanNumber",
    "UnsafeFrames",
    "FramesPerPoint",
    "ScanFinished",
    "LastError",
}


def test_what_is_the_device_s_own_stays_valid():
    away = View()
    assert {name for name, row in ROWS.items() if row.valid(away)} == OWN
    reducer_only = replace(away, results=Observation(error=None))
    assert not ROWS["EventsTotal"].valid(reducer_only)
    assert ROWS["FrameCount"].valid(reducer_only)


def test_values_keep_the_time_at_which_they_were_true():
    view = View(
        results=Observation(time=10.0, polled=20.0, error=None), pipeline=Pipeline(time=30.0)
    )
    times = {
        Source.REDUCER: 10.0,
        Source.POLL: 20.0,
        Source.CONTROLLER: 30.0,
        Source.DEVICE: None,
    }
    for row in RESULTS:
        assert row.time(view) == times[row.source], row.name
    assert ROWS["FrameRate"].source is ROWS["LastFrameAge"].source is Source.POLL


@pytest.mark.parametrize(
    ("age", "shown"),
    [(-0.5, 0), (0.3, 0), (1.9, 1), (9.99, 9), (10, 10), (19, 10), (25, 20), (199, 100)],
)
def test_an_idle_device_tells_its_age_seldom(age, shown):
    health = Health(last_frame_time=1000.0)
    results = Observation(Published(revision=1, health=health), polled=1000.0 + age)
    assert ROWS["LastFrameAge"].read(View(results=results)) == shown


def test_before_the_first_frame_there_is_no_age():
    results = Observation(Published(revision=1), polled=1000.0)
    assert math.isnan(ROWS["LastFrameAge"].read(View(results=results)))
