from dataclasses import replace

import pytest

from femtotango.component.health import State, judge
from femtotango.component.results_poller import Observation
from femtotango.component.scan_progress import Scan
from femtotango.component.state import Pipeline, View
from femtotango.dranspose_client.services import Config, Progress, Service
from pipeline.model.parameters import Settings
from pipeline.protocols import snapshot
from pipeline.protocols.groups import Group
from pipeline.protocols.snapshot import NOTHING, Health

PUBLISHED = replace(NOTHING, scan=snapshot.Scan(mapping="m"))
SERVICE = Service("worker", "w1", "u", "h", "m")
CONFIG = Config((SERVICE,), (SERVICE,), SERVICE, "h", {})
IDLE = View(
    results=Observation(snapshot=PUBLISHED, error=None),
    pipeline=Pipeline(config=CONFIG, error=None),
    scan=Scan(number=1, mapping="m"),
)
RUNNING = replace(
    IDLE,
    scan=replace(IDLE.scan, done=False, progress=Progress(5, 3, 32, False), cameras=("pilatus",)),
)


def shown(view: View, **groups: Group) -> View:
    """Return the view with other published groups."""
    return replace(view, results=replace(view.results, snapshot=replace(view.snapshot, **groups)))


def pipeline(view: View, **changes: object) -> View:
    return replace(view, pipeline=replace(view.pipeline, **changes))


CASES = [
    (IDLE, State.ON, "Ready. Scan 1 is finished."),
    (replace(IDLE, scan=Scan()), State.ON, "Ready."),
    (RUNNING, State.RUNNING, "3 of 32 events"),
    (
        replace(RUNNING, scan=replace(RUNNING.scan, continuous=True)),
        State.RUNNING,
        "Continuous mode with pilatus",
    ),
    (
        replace(RUNNING, scan=replace(RUNNING.scan, stopped=True)),
        State.RUNNING,
        "being stopped",
    ),
    (
        shown(RUNNING, health=Health(failed_frames=2, last_error="event 7: cut off")),
        State.ALARM,
        "2 frames of this scan could not be used, the last: event 7: cut off",
    ),
    (
        replace(RUNNING, scan=replace(RUNNING.scan, lost=frozenset({"worker1"}))),
        State.ALARM,
        "worker1 ended or hangs; frames of this scan are missing, so it is being given up.",
    ),
    (
        replace(RUNNING, scan=replace(RUNNING.scan, lost=frozenset({"c", "a", "b"}))),
        State.ALARM,
        "a, b and c ended or hang; frames of this scan are missing, so it is being given up.",
    ),
    (
        replace(
            RUNNING,
            scan=replace(
                RUNNING.scan, workers=frozenset({"w1", "w2"}), lost=frozenset({"w2", "ingester"})
            ),
        ),
        State.ALARM,
        "w2 ended or hangs; frames of this scan are missing",
    ),
    (replace(IDLE, scan=replace(IDLE.scan, lost=frozenset({"worker1"}))), State.ON, "Ready."),
    (shown(IDLE, health=Health(alarms=("Disk full.",))), State.ALARM, "Disk full."),
    (replace(IDLE, save_raw_alarm="Frames 3-9 are lost."), State.ALARM, "Frames 3-9 are lost."),
    (replace(IDLE, save_raw_note="The Balor is off."), State.ON, "The Balor is off."),
    (View(), State.UNKNOWN, "not asked yet"),
    (pipeline(RUNNING, error="No controller."), State.UNKNOWN, "No controller."),
    (
        replace(RUNNING, results=replace(RUNNING.results, error="No reducer.")),
        State.UNKNOWN,
        "No reducer.",
    ),
    (replace(IDLE, configuration_errors=("Bad URL.",)), State.FAULT, "Bad URL."),
    (pipeline(IDLE, config=replace(CONFIG, workers=())), State.FAULT, "no worker"),
    (pipeline(IDLE, config=replace(CONFIG, ingesters=())), State.FAULT, "no ingester"),
    (pipeline(IDLE, config=replace(CONFIG, workers=()), replay=True), State.ON, "Ready."),
    (pipeline(IDLE, waiting="w2 is behind."), State.ON, "w2 is behind."),
    (
        shown(IDLE, geometry=snapshot.Geometry(reason="Distance is not set.")),
        State.ON,
        "Distance is not set.",
    ),
    (
        replace(IDLE, settings=Settings(histogram_min=5.0, histogram_max=5.0)),
        State.ON,
        "HistogramMin 5 is not below HistogramMax 5",
    ),
    (replace(IDLE, scan_error="Scan 1 was stopped."), State.ON, "Scan 1 was stopped."),
]


@pytest.mark.parametrize(("view", "state", "said"), CASES)
def test_state_and_what_the_status_says(view, state, said):
    verdict = judge(view)
    assert verdict.state is state
    assert said in verdict.status


def test_failures_and_alarms_of_the_scan_before_are_no_alarm_once_a_new_one_is_prepared():
    failed = shown(RUNNING, health=Health(failed_frames=2, alarms=("Pile-up.",)))
    prepared = replace(failed, scan=replace(RUNNING.scan, mapping="new", failed_before=2))
    assert judge(failed).state is State.ALARM
    assert judge(prepared).state is State.RUNNING
    begun = shown(prepared, scan=snapshot.Scan(mapping="new"), health=Health(failed_frames=2))
    assert judge(begun).state is State.RUNNING
    assert judge(shown(begun, health=Health(failed_frames=3))).state is State.ALARM


def test_a_configuration_that_cannot_work_is_said_before_what_follows_from_it():
    view = replace(pipeline(IDLE, error="No controller."), configuration_errors=("Bad URL.",))
    assert judge(view).state is State.FAULT
