"""Who answers: asked with a real Redis, and without everything else."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.waiting import wait_for

from femtotango.stack.answers import Answers
from femtotango.stack.config import StackConfig
from femtotango.stack.dranspose_state import DransposeState
from femtotango.stack.ports import Ports
from femtotango.stack.processes import Process, end
from femtotango.stack.redis_client import config_key, connect
from femtotango.stack.services import CONTROLLER, REDIS, REDUCER, Services
from femtotango.stack.stack_ports import StackPorts

WITHOUT = StackConfig(database=False, device="", sardana=False, streams={"pilatus": ""})


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    with Ports() as ports:
        yield Services(WITHOUT, StackPorts.choose(WITHOUT, ports), tmp_path)


def test_a_worker_or_ingester_answers_as_long_as_it_shows_its_state_again(services, tmp_path):
    redis = Process(services.redis(), tmp_path)
    state = DransposeState(services)
    try:
        wait_for(state.redis_answers)
        with (
            Answers(services, threading.Event()) as answers,
            connect(services.ports.redis) as client,
        ):
            # A service shows its state for 10 s, and again after 1.3 s.
            client.set(config_key("worker", "worker1"), "{}", px=9_500)
            client.set(config_key("ingester", "pilatus-ingester"), "{}", px=5_000)
            assert answers.ask() == {
                REDIS: True,
                "worker1": True,
                "worker2": False,
                "pilatus-ingester": False,
                CONTROLLER: False,
                REDUCER: False,
            }
            state.forget(["worker1", "pilatus-ingester", REDUCER])
            assert not client.keys("dranspose:*")
    finally:
        state.close()
        end([redis], 0.0)


def test_of_what_nobody_can_ask_nothing_is_said(services):
    with Answers(services, threading.Event()) as answers:
        assert answers.ask() == {REDIS: False}
