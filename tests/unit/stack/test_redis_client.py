"""The stack's client of Redis."""

import socket

import pytest
import redis

from femtotango.stack.redis_client import connect


def test_a_server_that_hangs_is_asked_once():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.5)
        with connect(listening.getsockname()[1], 0.2) as client, pytest.raises(redis.TimeoutError):
            client.ping()
        connections = []
        with pytest.raises(TimeoutError):
            while True:
                connections.append(listening.accept()[0])
        for connection in connections:
            connection.close()
    assert len(connections) == 1
