"""Asks the processes of a stack whether they are still there."""

import threading
from types import TracebackType

import httpx
import redis

from femtotango.dranspose_client.controller import Controller
from femtotango.errors import BadReply, PipelineError
from femtotango.stack.question import Question
from femtotango.stack.redis_client import config_key, connect
from femtotango.stack.services import (
    CONTROLLER,
    DATABASE,
    DEVICE,
    REDIS,
    REDUCER,
    Services,
    ingester_name,
)
from femtotango.stack.tango_client import database_answers, device_answers
from pipeline.protocols.sardana import SARDANA

_TIMEOUT = 1.0
_LISTED = 10.0
"""What a worker or ingester of dranspose shows in Redis stays there for so long [s]."""
_SIGN = 4.5
"""It shows it again each 1.3 s, but not while it turns to a new trigger map or controller; so long
without it counts as no answer [s]."""


class Answers:
    """The questions to all processes of one stack; a context manager that closes connections.

    What is asked by way of something else is left out when that does not answer: workers and
    ingesters show a state in Redis, and how soon it expires tells how old it is.
    """

    def __init__(self, services: Services, stop: threading.Event) -> None:
        """Take what is asked.

        Args:
            services: of the stack.
            stop: set from outside: nothing more is asked.
        """
        self._services = services
        self._stop = stop
        self._http = httpx.Client(timeout=_TIMEOUT, trust_env=False)
        self._controller = Controller(services.addresses.controller)
        # It connects anew by itself when Redis was restarted.
        self._client = connect(services.ports.redis, _TIMEOUT)
        # PyTango tries for up to 9 s to reach a server that hangs.
        self._database = Question(lambda: database_answers(services.tango_host))
        self._device = Question(lambda: device_answers(services.device_address))

    def __enter__(self) -> "Answers":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()
        self._client.close()
        self._controller.close()
        self._database.close()
        self._device.close()

    def ask(self) -> dict[str, bool]:
        """Tell by name who answers; who is left out cannot be known now."""
        found: dict[str, bool] = {}
        for ask in (self._tango, self._redis, self._shown, self._controller_answers, self._web):
            if self._stop.is_set() or not found.get(REDIS, True):
                break
            found |= ask()
        return found

    def _tango(self) -> dict[str, bool]:
        services, found = self._services, {}
        if services.config.database:
            found[DATABASE] = self._database.is_answered(_TIMEOUT)
            if not found[DATABASE]:
                return found
        if services.config.device:
            found[DEVICE] = self._device.is_answered(_TIMEOUT)
        return found

    def _redis(self) -> dict[str, bool]:
        try:
            return {REDIS: bool(self._client.ping())}
        except redis.RedisError:
            return {REDIS: False}

    def _shown(self) -> dict[str, bool]:
        kinds = self._services.kinds
        try:
            with self._client.pipeline(transaction=False) as questions:
                for name, kind in kinds.items():
                    questions.pttl(config_key(kind, name))
                left = questions.execute()
        except redis.RedisError:
            return {}
        oldest = 1000 * (_LISTED - _SIGN)
        return {name: int(ms) > oldest for name, ms in zip(kinds, left, strict=True)}

    def _controller_answers(self) -> dict[str, bool]:
        try:
            self._controller.config(_TIMEOUT)
        except BadReply:
            pass
        except PipelineError:
            return {CONTROLLER: False}
        return {CONTROLLER: True}

    def _web(self) -> dict[str, bool]:
        """Ask the HTTP servers; any answer will do."""
        addresses = self._services.addresses
        found = {REDUCER: self._replies(f"{addresses.reducer}/api/v1/status")}
        if addresses.sardana and not self._replies(addresses.sardana):
            found[ingester_name(SARDANA)] = False
        return found

    def _replies(self, url: str) -> bool:
        try:
            self._http.get(url)
        except httpx.HTTPError:
            return False
        return True
