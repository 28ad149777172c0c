"""Controller and reducer are asked seldom while nothing goes on, at once when something does."""

import time
from dataclasses import replace

from femtotango.component.pace import controller_pause, is_ending, reducer_may_rest
from femtotango.component.results_poller import Observation
from femtotango.component.scan_progress import Scan
from femtotango.component.state import View
from pipeline.protocols import snapshot

PERIOD = 0.2


def idle() -> View:
    """Return a view that has just been fetched, of a stack on which nothing goes on."""
    return View(scan=Scan(done=True), results=Observation(error=None, polled=time.time()))


def ending() -> View:
    """Return one whose series has ended, while the controller has not told so."""
    published = snapshot.Published(revision=1, scan=snapshot.Scan(series_ended=1))
    return replace(idle(), scan=Scan(done=False), results=Observation(snapshot=published))


def long_ago() -> float:
    """Return the time of the last news of a stack that is at rest."""
    return time.monotonic() - 60.0


def test_a_controller_is_asked_at_full_pace_when_something_waits_for_it():
    assert controller_pause(idle(), True, PERIOD) > PERIOD
    assert controller_pause(idle(), False, PERIOD) == PERIOD
    assert is_ending(ending())
    assert controller_pause(ending(), True, PERIOD) == PERIOD


def test_a_reducer_may_rest_while_nothing_goes_on():
    assert reducer_may_rest(idle(), True, long_ago())


def test_it_is_asked_in_a_scan_while_settings_are_on_their_way_and_after_news():
    assert not reducer_may_rest(replace(idle(), scan=Scan(done=False)), True, long_ago())
    assert not reducer_may_rest(idle(), False, long_ago())
    assert not reducer_may_rest(idle(), True, time.monotonic())


def test_it_is_asked_when_it_could_not_be_reached_or_its_answer_is_old():
    away = replace(idle(), results=Observation(error="away", polled=time.time()))
    old = replace(idle(), results=Observation(error=None, polled=time.time() - 5.0))
    assert not reducer_may_rest(away, True, long_ago())
    assert not reducer_may_rest(old, True, long_ago())
