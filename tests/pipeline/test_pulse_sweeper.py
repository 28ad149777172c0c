"""What the device's pulse leaves in Redis is cleared away, and nothing else."""

from contextlib import closing
from types import SimpleNamespace
from uuid import uuid4

import pytest
from dranspose.protocol import RedisKeys
from support.server_process import running_server
from support.waiting import wait_for

from femtotango.stack.ports import Ports
from femtotango.stack.redis_client import connect
from femtotango.stack.redis_server import redis_program
from pipeline.model.parameters import PULSE
from pipeline.reducer.pulse_sweeper import PulseSweeper

pytestmark = pytest.mark.slow


@pytest.fixture
def redis(tmp_path, monkeypatch):
    with Ports() as ports:
        port = ports.new()
        command = [redis_program(), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
        log = tmp_path / "redis.log"
        with (
            running_server(command, log, lambda: b"Ready to accept" in log.read_bytes()),
            closing(connect(port)) as redis,
        ):
            monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{port}/0")
            yield redis


def test_old_pulses_and_messages_go_and_all_else_stays(redis):
    setting = RedisKeys.parameters("background", uuid4())
    redis.set(setting, b"100")
    sweeper, now = PulseSweeper(), 0.0
    for _ in range(3):
        for _ in range(1500):
            newest = uuid4()
            redis.set(RedisKeys.parameters(PULSE, newest), b"1")
            redis.xadd(RedisKeys.updates(), {"data": b"x"})
        now += 100.0
        sweeper.look({PULSE: SimpleNamespace(uuid=newest)}, now)
        wait_for(lambda: not sweeper._thread.is_alive())
    keys = set(redis.keys(RedisKeys.parameters(PULSE, "*")))
    assert RedisKeys.parameters(PULSE, newest).encode() in keys
    assert len(keys) <= 1500, "those since the last look"
    assert redis.get(setting) == b"100"
    assert redis.xlen(RedisKeys.updates()) < 2000


def test_without_pulses_redis_is_not_asked(redis, monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    sweeper = PulseSweeper()
    for parameters in (None, {}, {"background": SimpleNamespace(uuid=uuid4())}):
        sweeper.look(parameters, 100.0)
    assert sweeper._thread is None


def test_a_redis_that_is_away_is_a_warning(monkeypatch, caplog):
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    sweeper = PulseSweeper()
    sweeper.look({PULSE: SimpleNamespace(uuid=uuid4())}, 100.0)
    wait_for(lambda: not sweeper._thread.is_alive())
    assert "old pulses stay in Redis" in caplog.text
