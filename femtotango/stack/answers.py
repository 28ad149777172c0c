"""Asks the processes of a stack whether they are still there."""

import threading
from contextlib import closing
from types import TracebackType

import httpx
import redis

from femtotango.dranspose_client.http import Controller
from femtotango.errors import BadReply, PipelineError
from femtotango.stack.redis_client import connect
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

_TIMEOUT = 2.0


class Answers:
    """The questions to all processes of one stack; a context manager that closes connections.

    What is asked by way of something else is left out when that does not answer: workers and
    ingesters show a state in Redis that the controller lists, as long as it is not older than 10 s.
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

    def __enter__(self) -> "Answers":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()
        self._controller.close()

    def ask(self) -> dict[str, bool]:
        """Tell by name who answers; who is left out cannot be known now."""
        found: dict[str, bool] = {}
        for ask in (self._tango, self._redis, self._dranspose, self._web):
            if self._stop.is_set() or not found.get(REDIS, True):
                break
            found |= ask()
        return found

    def _tango(self) -> dict[str, bool]:
        services, found = self._services, {}
        if services.config.database:
            found[DATABASE] = database_answers(services.tango_host)
            if not found[DATABASE]:
                return found
        if services.config.device:
            found[DEVICE] = device_answers(services.device_address)
        return found

    def _redis(self) -> dict[str, bool]:
        with closing(connect(self._services.ports.redis, _TIMEOUT)) as client:
            try:
                return {REDIS: bool(client.ping())}
            except redis.RedisError:
                return {REDIS: False}

    def _dranspose(self) -> dict[str, bool]:
        try:
            config = self._controller.config()
        except BadReply:
            return {CONTROLLER: True}
        except PipelineError:
            return {CONTROLLER: False}
        listed = {service.name for service in config.services}
        names = (*self._services.worker_names, *self._services.ingester_names)
        return {CONTROLLER: True, **{name: name in listed for name in names}}

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
