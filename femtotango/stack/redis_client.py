"""The stack's own view of Redis."""

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from femtotango.stack.launch import LOOPBACK


def config_key(kind: str, name: str) -> str:
    """Return the key under which a service of dranspose shows its state.

    Args:
        kind: worker or ingester.
        name: of the service.
    """
    return f"dranspose:{kind}:{name}:config"


def connect(port: int, timeout: float = 5.0) -> Redis:
    """Return a client of the stack's Redis that tries everything once.

    A client that tries again, as redis-py does by default, would wait several minutes for a server
    that hangs, in the connection and in the command: the watchdog looks again by itself.

    Args:
        port: on this machine.
        timeout: of the connection and of each answer [s].
    """
    return Redis(
        LOOPBACK,
        port,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 0),
    )
