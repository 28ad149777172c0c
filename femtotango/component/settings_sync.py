"""Make the controller follow what is requested, and follow what others change there.

The way of a setting, which value wins and why, stands in `setting_flow`; this file asks and posts.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from femtotango.component import setting_flow
from femtotango.component.old_clients import OldClients
from femtotango.component.pulse import Posts
from femtotango.component.setting_flow import ACCUMULATE, ACCUMULATION_ID, ROIS, Flow
from femtotango.dranspose_client.controller import Controller
from femtotango.dranspose_client.services import Config
from femtotango.errors import Interrupted, NotReady
from pipeline.model.parameter import Value
from pipeline.model.parameters import PULSE, Settings

_POLL = 0.05
_CACHE = 0.7
"""The controller's configuration may be half a second old."""
_ALONE = 60.0
"""After so long without a change by others they are taken to have gone [s]."""
_HASHES = 50
_PASS = 3.0
"""How long one pass waits for the services before a sum may start; the next goes on."""


class SettingsSync:
    """Keeps the flow of the settings, and talks to the controller about it.

    `request` and `new_sum` only note what is wanted and return at once; `poll` talks to the
    controller and is called again and again by one thread. All parameter POSTs happen under
    `posting`.
    """

    def __init__(
        self,
        controller: Controller,
        flow: Flow | None = None,
        closing: threading.Event | None = None,
    ) -> None:
        """Begin.

        Args:
            controller: to ask and to post to.
            flow: as it was in the life before; None: all defaults.
            closing: set when nobody may wait any more.
        """
        self._controller = controller
        self._closing = closing or threading.Event()
        self.wake = threading.Event()
        """Set when there is something to post."""
        self._flow = flow or Flow()
        self._flow_lock = threading.Lock()
        self._post_lock = threading.RLock()
        self._hashes: deque[str] = deque(maxlen=_HASHES)
        """What a service may show that has all that was posted here: the hash of the newest
        setting, and of the pulses since; the newest last."""
        self.sent: Posts = ()
        """What was posted last, settings and pulses; the newest last."""
        self._others_seen = -_ALONE
        """When another client's change was noticed last; monotonic [s]."""
        self._old_clients = OldClients(controller.parameter, self.request)
        self._anew = False
        """The controller was started anew, and not all that it has was looked at since."""

    # Requested: never waits

    @property
    def flow(self) -> Flow:
        """Where each setting is on its way."""
        return self._flow

    @property
    def settings(self) -> Settings:
        """What is requested."""
        return self._flow.settings

    def request(self, name: str, value: Any) -> Value:
        """Request a value; it is posted as soon as the controller can be reached.

        Args:
            name: of the parameter.
            value: any that the parameter can take.

        Returns:
            The value in its normal form.

        Raises:
            BadValue: the parameter cannot take it; the old value stays.
        """
        normal = setting_flow.check(name, value)
        self._change(lambda flow: setting_flow.request(flow, name, normal, time.time()))
        self.wake.set()
        return normal

    def new_sum(self) -> None:
        """Request that a new sum begins."""
        self._change(lambda flow: setting_flow.new_sum(flow, time.time()))
        self.wake.set()

    def know_sum(self, number: int) -> None:
        """Take in the number of the reducer's newest sum, which it may have from its journal."""
        before = self._flow
        self._change(lambda flow: setting_flow.known_sum(flow, number, time.time()))
        if self._flow is not before:
            self.wake.set()

    def told(self, values: Mapping[str, Value]) -> None:
        """Note what Tango shows as written and remembers now."""
        self._change(lambda flow: setting_flow.told(flow, values))

    def _change(self, transition: Callable[[Flow], Flow]) -> None:
        with self._flow_lock:
            self._flow = transition(self._flow)

    @property
    def delivered(self) -> bool:
        """True when the controller has all that is requested."""
        flow = self._flow
        return flow.met and not flow.due

    # Posted

    @contextmanager
    def posting(self) -> Iterator[None]:
        """Keep everybody else from posting parameters."""
        with self._post_lock:
            yield

    def poll(self) -> Config:
        """Ask the controller, adopt what others posted there, post what is due.

        Raises:
            PipelineError: the controller cannot be reached, or services are behind.
        """
        with self._post_lock:
            config = self._controller.config()
            self._adopt_changes(config)
            self._old_clients.poll(config.parameters_version, self.settings)
            if PULSE not in config.parameters_version:
                # The services keep the pulses of before for good. A controller that was started
                # anew has none, and no service would ever show its hash.
                self._note(self._controller.set_parameter(PULSE, b"0"), time.monotonic())
            self.post_due()
            return config

    def forget_hash(self) -> None:
        """Forget what the services had to show: the connection was lost."""
        with self._post_lock:
            self._hashes.clear()

    def post_due(self) -> None:
        """Post what is due; a new sum begins only when all services know its number.

        Raises:
            PipelineError: the controller cannot be reached, or services are behind.
        """
        with self._post_lock:
            if not self._flow.met:
                self._adopt_changes(self._controller.config())
            for name in self._flow.due:
                if name not in (ACCUMULATE, ACCUMULATION_ID):
                    self._post_if_due(name)
            accumulate = self._flow[ACCUMULATE]
            self._post_if_due(ACCUMULATION_ID)
            if accumulate.requested and accumulate.at_controller != accumulate.data:
                self.settle(time.monotonic() + _PASS, ready=False)
            if self._flow[ACCUMULATE].requested == accumulate.requested:
                self._post_if_due(ACCUMULATE)

    def _post_if_due(self, name: str) -> None:
        if not self._flow[name].due:
            return
        # Another client may have posted since; what waits here wins, what does not gives way.
        self._adopt(name, self._flow[name].version, anew=False)
        if (setting := self._flow[name]).at_controller != setting.data:
            self._post(name, setting.data)

    def _post(self, name: str, data: bytes) -> None:
        when = time.monotonic()
        newest = self._controller.set_parameter(name, data)
        self._hashes.clear()
        self._note(newest, when)
        self._change(lambda flow: setting_flow.posted(flow, name, data))

    def pulse(self, data: bytes, patience: float) -> None:
        """Post the parameter of no meaning, unless others are posting.

        Never beside a trigger map: services that get both at once would not take up its streams.

        Args:
            data: its value.
            patience: how long to wait for others, and for the controller [s].

        Raises:
            PipelineError: the controller cannot be reached.
        """
        if not self._post_lock.acquire(timeout=patience):
            return
        try:
            when = time.monotonic()
            self._note(self._controller.set_parameter(PULSE, data, patience), when)
        finally:
            self._post_lock.release()

    def _note(self, parameters_hash: str, when: float) -> None:
        self._hashes.append(parameters_hash)
        self.sent = (*self.sent, (parameters_hash, when))[-_HASHES:]

    # In force

    def settle(self, deadline: float, ready: bool = True) -> Config:
        """Wait until every service shows the hash that the newest POST returned.

        One parameter that only this device writes is posted again for it. Call under `posting`.

        Args:
            deadline: monotonic time [s] after which to give up.
            ready: wait for the services to know one another too.

        Raises:
            NotReady: the deadline has passed; names who is behind.
            Interrupted: the device ends.
        """
        while True:
            number = self._flow[ACCUMULATION_ID]
            self._post(ACCUMULATION_ID, number.at_controller or number.data)
            posted = time.monotonic()
            wanted = self._hashes[-1]
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
                overtaken = config.parameters_hash != wanted
                if overtaken and now - posted > _CACHE:
                    break  # Another client has posted meanwhile.
                if self._closing.wait(_POLL):
                    raise Interrupted

    def ready(self, deadline: float) -> Config:
        """Return the services once all have what was posted last; at once where they show it.

        What they show may be half a second old, so that where other clients post too the sure way
        is taken. Call under `posting`.

        Raises:
            NotReady: the deadline has passed; names who is behind.
        """
        config = self._controller.config()
        if setting_flow.forgot(self._flow, config.parameters_version):
            # The services keep what they had: until all of it is posted again to a controller that
            # was started anew, no service shows its hash, and nobody else may post meanwhile.
            config = self.poll()
        alone = time.monotonic() - self._others_seen > _ALONE
        shown = bool(self._hashes) and self.in_force(config)
        if alone and shown and not config.missing():
            return config
        return self.settle(deadline)

    def in_force(self, config: Config) -> bool:
        """Say whether all services show what was posted last; older news do not count."""
        return not config.behind(*self._hashes)

    # Posted by others

    def _adopt_changes(self, config: Config) -> None:
        versions = config.parameters_version
        # A pass that is broken off has taken in some new versions: the next one goes on with it.
        self._anew |= setting_flow.forgot(self._flow, versions)
        for name in setting_flow.unseen(self._flow, versions):
            self._adopt(name, versions.get(name), self._anew)
        self._anew = False
        self._change(lambda flow: setting_flow.first_contact(flow, time.time()))

    def _adopt(self, name: str, version: str | None, anew: bool) -> None:
        data = self._controller.parameter(name)
        before = self._flow
        now = time.time()
        self._change(lambda flow: setting_flow.found(flow, name, data, version, anew, now))
        after = self._flow[name].at_controller
        if before.met and after is not None and after != before[name].at_controller:
            self._others_seen = time.monotonic()
        adopted = before.met and not self._flow[name].waiting
        if name == ROIS and adopted and before[ROIS].requested != self.settings.rois:
            self._old_clients.follow_rois(str(before[ROIS].requested), self.settings)
