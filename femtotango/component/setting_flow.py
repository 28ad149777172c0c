"""A setting's way, as pure transitions of one frozen state per parameter.

    a Tango client or a command                     another client of the controller
            │ request                                       │ found (its version is new)
            ▼                                               ▼
       requested ──post_due──▶ at_controller ──▶ workers    requested, unless ours waits
            │                  (posted, found)  (in force)          │
            └───────────────▶ remembered ◀──────────────────────────┘
                              (Tango's written value and its memory: untold, told)

Who wrote last wins, for each parameter by itself. What is written here *waits* until it is found at
the controller, and wins meanwhile. Everything else that is new at the controller was posted by
somebody else after ours, and is adopted. `settings_sync` does the talking that this file asks for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from femtotango.errors import BadValue
from femtotango.text_encoding import carriable
from pipeline.model.parameter import ParameterError, Value
from pipeline.model.parameters import PARAMETERS, Settings

ACCUMULATE = "accumulate"
ROIS = "rois"
ACCUMULATION_ID = "accumulation_id"


@dataclass(frozen=True)
class Setting:
    """Where one parameter is on its way."""

    name: str
    requested: Value
    """What clients read, and what the pipeline is to have."""
    since: float = 0.0
    """Since when that is requested, epoch [s]."""
    waiting: bool = False
    """Written here, and not found at the controller since: wins over what is found there."""
    at_controller: bytes | None = None
    """What the controller was known to have last, in our spelling; None: nothing."""
    version: str | None = None
    """The controller's version that was looked at last; None: not known."""
    remembered: Value | None = None
    """What Tango shows as the written value and keeps over a restart; None: nothing yet."""

    @property
    def data(self) -> bytes:
        """What is requested, as dranspose carries it."""
        return PARAMETERS[self.name].encode(self.requested)

    @property
    def due(self) -> bool:
        """True while the controller is not known to have what is requested."""
        return self.waiting or self.at_controller != self.data


def _defaults() -> Mapping[str, Setting]:
    return {
        name: Setting(name, parameter.default, remembered=parameter.default)
        for name, parameter in PARAMETERS.items()
    }


@dataclass(frozen=True)
class Flow:
    """All parameters on their way."""

    parameters: Mapping[str, Setting] = field(default_factory=_defaults)
    met: bool = False
    """The controller was asked once."""

    def __getitem__(self, name: str) -> Setting:
        return self.parameters[name]

    @cached_property
    def settings(self) -> Settings:
        """What is requested of all parameters."""
        values: dict[str, Any] = {name: s.requested for name, s in self.parameters.items()}
        return Settings(**values)

    @property
    def due(self) -> tuple[str, ...]:
        """The parameters that the controller is not known to have as requested."""
        return tuple(name for name, setting in self.parameters.items() if setting.due)

    def changed(self, name: str, **changes: Any) -> "Flow":
        """Return the flow with parts of one parameter's state changed."""
        setting = replace(self.parameters[name], **changes)
        return replace(self, parameters={**self.parameters, name: setting})


# Written here


def check(name: str, value: object) -> Value:
    """Return a value in its parameter's normal form.

    Raises:
        BadValue: the parameter cannot take it, or clients of the device could not read it.
    """
    try:
        normal = PARAMETERS[name].check(value)
    except ParameterError as error:
        raise BadValue(str(error)) from error
    if isinstance(normal, str) and not carriable(normal):
        raise BadValue(f"{name} = {value!r}: Tango carries Latin letters only; use those.")
    return normal


def request(flow: Flow, name: str, value: Value, now: float) -> Flow:
    """Take in a value that was written here.

    Args:
        flow: the state before.
        name: of the parameter.
        value: as `check` returned it.
        now: epoch [s].
    """
    starts = name == ACCUMULATE and value and not flow[name].requested
    since = flow[name].since if value == flow[name].requested else now
    changed = flow.changed(name, requested=value, since=since, waiting=True)
    return new_sum(changed, now) if starts and flow.met else changed


def new_sum(flow: Flow, now: float) -> Flow:
    """Request that a new sum begins."""
    # Seconds since the epoch: larger than any before, whoever has restarted meanwhile.
    newer = max(int(flow[ACCUMULATION_ID].requested) + 1, int(now))
    return flow.changed(ACCUMULATION_ID, requested=newer, since=now, waiting=True)


def known_sum(flow: Flow, number: int, now: float) -> Flow:
    """Go on with a sum that the pipeline has; frames of an older number would be dropped."""
    if number <= int(flow[ACCUMULATION_ID].requested):
        return flow
    return flow.changed(ACCUMULATION_ID, requested=number, since=now, waiting=True)


# Posted


def posted(flow: Flow, name: str, data: bytes) -> Flow:
    """Note that the controller has taken our POST."""
    setting = flow[name]
    waiting = setting.waiting and setting.data != data
    return flow.changed(name, at_controller=data, version=None, waiting=waiting)


# Posted by others


def unseen(flow: Flow, versions: Mapping[str, str]) -> tuple[str, ...]:
    """Return the parameters that the controller has in a version that was not looked at."""
    return tuple(
        name
        for name, setting in flow.parameters.items()
        if not flow.met or versions.get(name) != setting.version
    )


def forgot(flow: Flow, versions: Mapping[str, str]) -> bool:
    """Say whether the controller has lost all that it had: it was started anew."""
    # What was posted here since the last look has a new version anyway.
    known = {name: s.version for name, s in flow.parameters.items() if s.version is not None}
    return flow.met and all(versions.get(name) != version for name, version in known.items())


def found(
    flow: Flow, name: str, data: bytes | None, version: str | None, anew: bool, now: float
) -> Flow:
    """Take in what the controller has of one parameter.

    Args:
        flow: the state before.
        name: of the parameter.
        data: its bytes; None: it has none.
        version: that was seen before the bytes were fetched.
        anew: the controller was started anew. A default is nobody's request then, nor where the
            controller had nothing.
        now: epoch [s].
    """
    setting = flow[name]
    value = None if data is None else _usable(name, data)
    normal = data if value is None else PARAMETERS[name].encode(value)
    news = normal != setting.at_controller
    flow = flow.changed(
        name,
        at_controller=normal,
        version=version,
        waiting=setting.waiting and normal != setting.data,
    )
    if value is None or not news:
        return flow
    if name == ACCUMULATION_ID:
        return _adopt_number(flow, int(value), setting.waiting, now)
    nobodys = value == PARAMETERS[name].default and (anew or setting.at_controller is None)
    if setting.waiting or value == setting.requested or nobodys:
        return flow
    adopted = flow.changed(name, requested=value, since=now)
    return new_sum(adopted, now) if name == ACCUMULATE and value and flow.met else adopted


def first_contact(flow: Flow, now: float) -> Flow:
    """Note that the controller was asked once.

    A sum begins where we remember to sum and the pipeline does not; but a controller that knows of
    no sum was started anew, and the sum that we remember goes on.
    """
    if flow.met:
        return flow
    running = flow[ACCUMULATE].at_controller == PARAMETERS[ACCUMULATE].encode(True)
    number = flow[ACCUMULATION_ID]
    nothing = PARAMETERS[ACCUMULATION_ID].encode(PARAMETERS[ACCUMULATION_ID].default)
    goes_on = int(number.requested) > 0 and number.at_controller in (None, nothing)
    if flow[ACCUMULATE].requested and not running and not goes_on:
        flow = new_sum(flow, now)
    return replace(flow, met=True)


def _adopt_number(flow: Flow, theirs: int, ours_waits: bool, now: float) -> Flow:
    # A number is never taken back: that of a new sum here is above all that are known.
    if theirs < int(flow[ACCUMULATION_ID].requested):
        return flow
    number = theirs + ours_waits
    return flow.changed(ACCUMULATION_ID, requested=number, since=now, waiting=ours_waits)


def _usable(name: str, data: bytes) -> Value | None:
    try:
        return check(name, PARAMETERS[name].decode(data))
    except (ParameterError, BadValue):
        return None


# Shown as written, and remembered


def untold(flow: Flow) -> dict[str, Value]:
    """Return what Tango does not show as written yet: what commands and other clients changed."""
    return {name: s.requested for name, s in flow.parameters.items() if s.requested != s.remembered}


def told(flow: Flow, values: Mapping[str, Value]) -> Flow:
    """Note what Tango shows as written and remembers now."""
    for name, value in values.items():
        flow = flow.changed(name, remembered=value)
    return flow


# A new life of the device


def recalled(
    values: Mapping[str, str], now: float, sum_number: int = 0
) -> tuple[Flow, dict[str, str]]:
    """Begin with what the memory holds; what a person has set wins at the first contact.

    Args:
        values: remembered texts by parameter.
        now: epoch [s].
        sum_number: accumulation id of the newest sum.

    Returns:
        The flow, and by parameter why a text was not used.
    """
    fresh = {name: replace(s, since=now) for name, s in Flow().parameters.items()}
    flow, refused = Flow(fresh).changed(ACCUMULATION_ID, requested=sum_number), {}
    for name, text in values.items():
        try:
            value = check(name, PARAMETERS[name].decode(text.encode()))
        except (ParameterError, BadValue) as error:
            refused[name] = str(error)
        else:
            flow = flow.changed(name, requested=value, waiting=True, remembered=value)
    return flow, refused


def elsewhere(flow: Flow) -> Flow:
    """Return the flow for another controller: what it has is not known, and ours win."""
    return Flow(
        {
            name: replace(s, at_controller=None, version=None, waiting=True)
            for name, s in flow.parameters.items()
        }
    )
