"""Clear away what the device's pulse leaves in Redis, where dranspose keeps every value."""

import logging
import threading
from collections.abc import Mapping
from typing import Any

from dranspose.distributed import DistributedSettings
from dranspose.protocol import RedisKeys
from redis import Redis
from redis.exceptions import RedisError

from pipeline.model.parameters import PULSE

logger = logging.getLogger(__name__)

_INTERVAL = 10.0
"""What is older than one or two of these is cleared away [s]."""
_UPDATES = 1000
"""Messages of the controller that stay; services read the newest only."""
_TIMEOUT = 2.0
"""[s]"""


class PulseSweeper:
    """Deletes old pulses; does nothing where nobody sends any, as in a replay.

    Three pulses a second for a night would be 100 000 keys, and the controller lists all of them
    every half second.
    """

    def __init__(self) -> None:
        self._due = 0.0
        self._newest: Any = None
        self._old: set[bytes] = set()
        """Keys that were there at the last look."""
        self._thread: threading.Thread | None = None

    def look(self, parameters: Mapping[str, Any] | None, now: float) -> None:
        """Sweep in a thread of its own when it is time: Redis may hang.

        Args:
            parameters: dranspose's parameters.
            now: monotonic time [s].
        """
        newest = getattr((parameters or {}).get(PULSE), "uuid", None)
        if newest == self._newest or now < self._due:
            return
        if self._thread is not None and self._thread.is_alive():
            return
        self._newest, self._due = newest, now + _INTERVAL
        self._thread = threading.Thread(target=self._sweep, name="femtomax-sweep", daemon=True)
        self._thread.start()

    def _sweep(self) -> None:
        try:
            url = str(DistributedSettings().redis_dsn)  # pyright: ignore[reportCallIssue]
            with Redis.from_url(
                url, socket_timeout=_TIMEOUT, socket_connect_timeout=_TIMEOUT
            ) as redis:
                self._clear(redis)
        except RedisError as error:
            logger.warning("old pulses stay in Redis: %s", error)

    def _clear(self, redis: Any) -> None:
        found = set(redis.scan_iter(RedisKeys.parameters(PULSE, "*"), count=1000))
        newest = RedisKeys.parameters(PULSE, self._newest).encode()
        old = (found & self._old) - {newest}
        if old:
            redis.delete(*old)
        self._old = found - old
        redis.xtrim(RedisKeys.updates(), maxlen=_UPDATES, approximate=True)
