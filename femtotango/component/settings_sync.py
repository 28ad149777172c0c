"""The wish (settings) and how the controller is made to follow it."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from femtotango.dranspose_client.http import Controller
from femtotango.dranspose_client.services import Config
from femtotango.errors import BadValue, NotReady
from femtotango.text_encoding import carriable
from pipeline.model.parameters import PARAMETERS, ParameterError, Settings, Value

ACCUMULATE = "accumulate"
ACCUMULATION_ID = "accumulation_id"

_POLL = 0.05
_CACHE = 0.7
"""The controller's configuration may be half a second old."""
_ALONE = 60.0
"""After so long without a change by others they are taken to have gone [s]."""
_PASS = 3.0
"""How long one pass waits for the services before a sum may start; the next goes on."""


class SettingsSync:
    """Keeps the wish, pushes what differs, and adopts what other clients change.

    `set` and `new_sum` only note the wish and return at once; `step` talks to the controller and is
    called again and again by one thread. All parameter POSTs happen under `posting`.
    """

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self.wake = threading.Event()
        """Set when there is something to push."""
        self._wish_lock = threading.Lock()
        self._wish = Settings()
        self._written: set[str] = set()
        """Parameters that a person or the memory has set: ours win at the first contact."""
        self._pending: set[str] = set()
        """Written here and not yet delivered: ours win over what others posted meanwhile."""
        self._post_lock = threading.RLock()
        self._theirs: dict[str, bytes] = {}
        """What the controller has, in our spelling."""
        self._versions: Mapping[str, str] = {}
        self._seen_hash: str | None = None
        self._posted_hash: str | None = None
        self._met = False
        self._others_seen = -_ALONE
        """When another client's change was noticed last; monotonic [s]."""

    # The wish: never waits

    @property
    def settings(self) -> Settings:
        """The wish as it stands."""
        with self._wish_lock:
            return self._wish

    def set(self, name: str, value: Any, initial: bool = False) -> Value:
        """Wish a value; it is delivered as soon as the controller can be reached.

        Args:
            name: of the parameter.
            value: any that the parameter can take.
            initial: a value from the device's memory, which begins no new sum by itself.

        Returns:
            The value in its normal form.

        Raises:
            BadValue: the parameter cannot take it; the old value stays.
        """
        with self._wish_lock:
            try:
                wish = self._wish.replaced(name, _carried(name, value))
            except ParameterError as error:
                raise BadValue(str(error)) from error
            starts = name == ACCUMULATE and wish.accumulate and not self._wish.accumulate
            self._wish = wish
            self._written.add(name)
            self._pending.add(name)
            if starts and self._met and not initial:
                self._raise_id()
        self.wake.set()
        return getattr(wish, name)

    def new_sum(self) -> None:
        """Wish that a new sum begins."""
        with self._wish_lock:
            self._raise_id()
        self.wake.set()

    def _raise_id(self) -> None:
        # Seconds since the epoch: larger than any before, whoever has restarted meanwhile.
        newer = max(self._wish.accumulation_id + 1, int(time.time()))
        self._wish = self._wish.replaced(ACCUMULATION_ID, newer)
        self._pending.add(ACCUMULATION_ID)

    @property
    def delivered(self) -> bool:
        """True when the controller has all that is wished."""
        wish = self.settings
        return self._met and all(
            self._theirs.get(name) == data for name, data in wish.to_bytes().items()
        )

    # The controller

    @contextmanager
    def posting(self) -> Iterator[None]:
        """Keep everybody else from posting parameters."""
        with self._post_lock:
            yield

    def step(self) -> Config:
        """Look at the controller, adopt what changed there, push what differs.

        Raises:
            PipelineError: the controller cannot be reached, or services are behind.
        """
        with self._post_lock:
            config = self._controller.config()
            self._learn(config)
            self.push()
            return config

    def forget(self) -> None:
        """Look at every parameter again at the next step: the connection was lost."""
        with self._post_lock:
            self._seen_hash = self._posted_hash = None

    def push(self) -> None:
        """Post what differs; a new sum begins only when all services know its number.

        Raises:
            PipelineError: the controller cannot be reached, or services are behind.
        """
        with self._post_lock:
            if not self._met:
                self._learn(self._controller.config())
            wish = self.settings
            data = wish.to_bytes()
            last = (ACCUMULATION_ID, ACCUMULATE)
            for name in [n for n in data if n not in last]:
                self._post_if_different(name, data[name])
            begins = wish.accumulate and self._theirs.get(ACCUMULATE) != data[ACCUMULATE]
            self._post_if_different(ACCUMULATION_ID, data[ACCUMULATION_ID])
            if begins:
                self.settle(time.monotonic() + _PASS, ready=False)
            self._post_if_different(ACCUMULATE, data[ACCUMULATE])

    def settle(self, deadline: float, ready: bool = True) -> Config:
        """Wait until every service shows the hash that the newest POST returned.

        One parameter that only this device writes is posted again for it. Call under `posting`.

        Args:
            deadline: monotonic time [s] after which to give up.
            ready: wait for the services to know one another too.

        Raises:
            NotReady: the deadline has passed; names who is behind.
        """
        while True:
            self._post(ACCUMULATION_ID, self._theirs[ACCUMULATION_ID])
            posted = time.monotonic()
            wanted = self._posted_hash or None
            while True:
                config = self._controller.config()
                obstacles = config.behind(wanted) + (config.missing() if ready else ())
                if not obstacles:
                    return config
                now = time.monotonic()
                if now > deadline:
                    raise NotReady(
                        f"The pipeline is not ready: {'; '.join(obstacles)}. "
                        "Check these processes; a killed one stays listed for 10 s."
                    )
                overtaken = wanted is not None and config.parameters_hash != wanted
                if overtaken and now - posted > _CACHE:
                    break  # Another client has posted meanwhile.
                time.sleep(_POLL)

    def ready(self, deadline: float) -> Config:
        """Return the services once all have what was posted last; at once where they show it.

        What they show may be half a second old, so that where other clients post too the sure way
        is taken. Call under `posting`.

        Raises:
            NotReady: the deadline has passed; names who is behind.
        """
        config = self._controller.config()
        alone = time.monotonic() - self._others_seen > _ALONE
        shown = bool(self._posted_hash) and self.in_force(config)
        if alone and shown and not config.missing():
            return config
        return self.settle(deadline)

    def in_force(self, config: Config) -> bool:
        """Say whether all services show what was posted last; older news do not count."""
        return not config.behind(self._posted_hash or None)

    def _post_if_different(self, name: str, data: bytes) -> None:
        if self._theirs.get(name) != data:
            self._post(name, data)
        with self._wish_lock:
            if PARAMETERS[name].encode(getattr(self._wish, name)) == data:
                self._pending.discard(name)

    def _post(self, name: str, data: bytes) -> None:
        self._posted_hash = self._controller.set_parameter(name, data)
        self._theirs[name] = data

    def _learn(self, config: Config) -> None:
        """Find out what the controller has; adopt the valid changes of others."""
        if self._met and config.parameters_hash == self._seen_hash:
            return
        known = self._versions
        changed = [n for n in PARAMETERS if config.parameters_version.get(n) != known.get(n)]
        mine = config.parameters_hash == self._posted_hash
        if not mine:
            # A controller that forgot everything has defaults; those are nobody's wish.
            forgot = bool(known) and len(changed) == len(PARAMETERS)
            for name in changed:
                self._look_at(name, defaults_too=not forgot)
        if not self._met:
            self._begin_if_new()
        self._versions = dict(config.parameters_version)
        self._seen_hash = config.parameters_hash
        self._met = True

    def _begin_if_new(self) -> None:
        """Begin a sum at the first contact where we remember to sum and the pipeline does not."""
        running = self._theirs.get(ACCUMULATE) == PARAMETERS[ACCUMULATE].encode(True)
        with self._wish_lock:
            if self._wish.accumulate and not running:
                self._raise_id()

    def _look_at(self, name: str, defaults_too: bool) -> None:
        data = self._controller.parameter(name)
        if data is None:
            self._theirs.pop(name, None)
            return
        value = _usable(name, data)
        normal = data if value is None else PARAMETERS[name].encode(value)
        if normal == self._theirs.get(name):
            return
        self._theirs[name] = normal
        if self._met:
            self._others_seen = time.monotonic()
        if value is not None and (defaults_too or value != PARAMETERS[name].default):
            self._adopt(name, value)

    def _adopt(self, name: str, value: Value) -> None:
        with self._wish_lock:
            if name == ACCUMULATION_ID:
                self._adopt_id(int(value))
                return
            ours = name in self._pending or (not self._met and name in self._written)
            if ours or getattr(self._wish, name) == value:
                return
            self._wish = self._wish.replaced(name, value)
            if name == ACCUMULATE and value and self._met:
                self._raise_id()

    def _adopt_id(self, theirs: int) -> None:
        ours = self._wish.accumulation_id
        if theirs >= ours:
            pending = ACCUMULATION_ID in self._pending
            self._wish = self._wish.replaced(ACCUMULATION_ID, theirs + pending)


def _usable(name: str, data: bytes) -> Value | None:
    try:
        return _carried(name, PARAMETERS[name].decode(data))
    except ParameterError:
        return None


def _carried(name: str, value: Any) -> Any:
    """Return a value that clients of the device can read.

    Raises:
        ParameterError: a text with characters that Tango cannot carry.
    """
    if isinstance(value, str) and not carriable(str(PARAMETERS[name].check(value))):
        raise ParameterError(f"{name} = {value!r}: Tango carries Latin letters only; use those.")
    return value
