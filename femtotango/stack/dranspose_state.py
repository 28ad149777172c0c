"""What the stack asks dranspose and its Redis, and puts right there, when it restarts parts."""

from collections.abc import Collection, Iterable

import redis

from femtotango.dranspose_client.controller import Controller
from femtotango.errors import PipelineError
from femtotango.stack.redis_client import config_key, connect
from femtotango.stack.services import Services

_LOCK = "dranspose:controller_lock"


class DransposeState:
    """The pipeline of one stack, as its controller and its Redis know it."""

    def __init__(self, services: Services) -> None:
        """Take where they answer."""
        self._services = services
        self._controller = Controller(services.addresses.controller)

    def close(self) -> None:
        """Close the connections."""
        self._controller.close()

    def redis_answers(self) -> bool:
        """Tell whether Redis can be used."""
        try:
            return bool(self._redis().ping())
        except (redis.ConnectionError, redis.TimeoutError):
            return False

    def listed(self) -> dict[str, str]:
        """Return uuids by the names of the services; nothing while the controller is away."""
        try:
            return self._controller.config().uuids
        except PipelineError:
            return {}

    def not_ready(self, gone: Collection[str]) -> str:
        """Say what keeps dranspose from taking a scan; empty: nothing.

        Args:
            gone: uuids of services that are known to have ended.
        """
        workers, ingesters = self._services.worker_names, self._services.ingester_names
        try:
            config = self._controller.config().without(gone)
        except PipelineError as error:
            return str(error)
        return ", ".join(config.not_ready(workers=workers, ingesters=ingesters))

    def forget(self, names: Iterable[str]) -> None:
        """Have workers and ingesters listed no longer: dranspose does it for another 10 s."""
        kinds = self._services.kinds
        keys = [config_key(kinds[name], name) for name in names if name in kinds]
        if keys:
            self._redis().delete(*keys)

    def free_lock(self) -> None:
        """Take the lock from a controller that has ended: a new one would wait 10 s for it."""
        self._redis().delete(_LOCK)

    def _redis(self) -> redis.Redis:
        return connect(self._services.ports.redis)
