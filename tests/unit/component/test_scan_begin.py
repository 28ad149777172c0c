"""A scan begins with all parts of the pipeline, also while some of them are restarted."""

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from femtotango.component import scan_begin
from femtotango.component.kept import KeptScan
from femtotango.component.newest_scan import NewestScan
from femtotango.component.results_poller import Observation
from femtotango.component.scan_begin import ScanBegin
from femtotango.component.scan_progress import Scan
from femtotango.dranspose_client.services import Config, Progress, Service
from femtotango.dranspose_client.trigger_maps import scan_map
from femtotango.errors import BadReply, NotReady, Unreachable

MAP = scan_map(["pilatus"], 1, 2, records=False)
SCAN = Scan(frames=2, cameras=("pilatus",))


def config(*services: str, mapping: str = "m") -> Config:
    """Return services: a worker is `w…`, each with a uuid behind a colon."""
    found = [Service(s[0], *s.split(":"), "h", mapping, frozenset({"pilatus"})) for s in services]
    return Config(
        ingesters=tuple(s for s in found if s.kind == "i"),
        workers=tuple(s for s in found if s.kind == "w"),
        reducer=Service("reducer", "reducer", "r", "h", mapping),
        parameters_hash="h",
        parameters_version={},
    )


WHOLE = config("i:1", "w1:1", "w2:1")
NO_WORKER = config("i:2", "w2:1")
AGAIN = config("i:2", "w1:2", "w2:1")


class Pipeline:
    """Lists services one after the other, as the arming and the settings are asked."""

    def __init__(self, *listed: Config | Exception) -> None:
        self.listed = list(listed)
        self.posted: list[str] = []
        self.halted = 0
        self.refuse: list[Exception] = []
        self.silent: list[bool] = []

    def config(self) -> Config:
        now = self.listed[0]
        if len(self.listed) > 1:
            self.listed.pop(0)
        if isinstance(now, Exception):
            raise now
        return now

    def reducer_answers(self) -> bool:
        return not self.silent or self.silent.pop()

    def ready_config(self, deadline: float) -> Config:
        return self.config()

    def post(self, trigger_map: object) -> str:
        if self.refuse:
            raise self.refuse.pop()
        self.posted.append(f"ours {len(self.posted)}")
        return self.posted[-1]

    def wait_assigned(self) -> Progress:
        return Progress(1, 0, 4, False)

    def halt(self) -> None:
        self.halted += 1

    @contextmanager
    def posting(self) -> Iterator[None]:
        yield

    def post_due(self) -> None:
        """There is nothing."""


def begin_on(pipeline: Pipeline, kept: Scan | None = None) -> tuple[ScanBegin, NewestScan]:
    newest = NewestScan(KeptScan(kept or Scan()))
    closing = threading.Event()
    begin = ScanBegin(newest, pipeline, pipeline, Observation, closing)  # pyright: ignore
    return begin, newest


def test_a_scan_begins_when_all_stay_as_they_are():
    pipeline = Pipeline(WHOLE)
    begin, newest = begin_on(pipeline)
    begin.wait_for_parts(math.inf)
    assert begin.begin(MAP, ["pilatus"], SCAN, math.inf)
    assert newest.scan.mapping == "ours 0"
    assert newest.scan.workers == {"w1", "w2"}
    assert pipeline.halted == 0


@pytest.mark.parametrize("after", [NO_WORKER, AGAIN])
def test_a_part_that_is_restarted_under_it_begins_it_anew(after):
    pipeline = Pipeline(WHOLE, WHOLE, after)
    begin, newest = begin_on(pipeline)
    assert not begin.begin(MAP, ["pilatus"], SCAN, math.inf)
    assert newest.scan.number == 0
    assert pipeline.halted == 1
    pipeline.listed = [NO_WORKER, NO_WORKER, AGAIN]
    begin.wait_for_parts(math.inf)
    assert begin.begin(MAP, ["pilatus"], SCAN, math.inf)
    assert newest.scan.services == AGAIN.sources_and_workers
    newest.follow(config(mapping="ours 0"), Progress(0, 0, 4, False), Observation())
    assert newest.scan.number == 1, "the one that was ended is no other client's"


def test_a_trigger_map_that_a_dead_part_does_not_take_is_posted_again():
    pipeline = Pipeline(WHOLE, WHOLE, NO_WORKER)
    pipeline.refuse = [BadReply("could not distribute")]
    begin, _ = begin_on(pipeline)
    assert not begin.begin(MAP, ["pilatus"], SCAN, math.inf)
    pipeline.refuse = [BadReply("nobody knows why")]
    with pytest.raises(BadReply, match="nobody knows why"):
        begin.begin(MAP, ["pilatus"], SCAN, math.inf)


def test_what_the_scan_before_had_is_waited_for_but_not_for_ever(monkeypatch):
    monkeypatch.setattr(scan_begin, "_RETURN", 0.1)
    before = Scan(services=WHOLE.sources_and_workers)
    pipeline = Pipeline(Unreachable("the controller is away"), NO_WORKER, AGAIN)
    begin, _ = begin_on(pipeline, before)
    begin.wait_for_parts(math.inf)
    assert pipeline.listed == [AGAIN]
    begin, _ = begin_on(Pipeline(NO_WORKER), before)
    begin.wait_for_parts(math.inf)
    monkeypatch.setattr(scan_begin, "_RETURN", math.inf)
    begin.wait_for_parts(math.inf)  # it is not expected any more


def test_a_reducer_that_hangs_is_waited_for_but_not_for_ever(monkeypatch):
    pipeline = Pipeline(WHOLE)
    pipeline.silent = [False, False]
    begin, _ = begin_on(pipeline)
    begin.wait_for_parts(math.inf)
    assert not pipeline.silent
    monkeypatch.setattr(scan_begin, "_RETURN", 0.1)
    pipeline.silent = [False] * 1000
    begin.wait_for_parts(math.inf)


def test_a_controller_that_stays_away_is_said(monkeypatch):
    monkeypatch.setattr(scan_begin, "_RETURN", 0.1)
    away = Pipeline(Unreachable("the controller is away"))
    for kept in (Scan(), Scan(services=WHOLE.sources_and_workers)):
        begin, _ = begin_on(away, kept)
        with pytest.raises(Unreachable):
            begin.wait_for_parts(math.inf)


def test_nothing_is_posted_for_a_client_that_has_given_up():
    pipeline = Pipeline(WHOLE)
    begin, _ = begin_on(pipeline)
    with pytest.raises(NotReady, match="time-out"):
        begin.begin(MAP, ["pilatus"], SCAN, 0.0)
    assert not pipeline.posted
