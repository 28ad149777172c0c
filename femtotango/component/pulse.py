"""Which parts of the pipeline show life, judged by what each has taken over; pure.

Every service of dranspose shows the hash of the parameters that it has, and shows it at once when
a parameter is posted. So a parameter of no meaning, posted again and again, is a pulse: a service
that shows the hash of a pulse was alive when that pulse was posted, or later.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from femtotango.dranspose_client.services import Config

Posts = tuple[tuple[str, float], ...]
"""Hash that the services show after each POST, and when it was sent, monotonic [s]; the newest
last."""

CONTROLLER = "the controller (or its Redis)"
_NEVER = float("-inf")
_GAP = 1.5
"""A longer pause between two lists is the controller's [s]."""
_CACHED = 0.5
"""What the controller lists may be so old [s]."""
_KINDS = ("worker", "ingester")
"""The reducer shows that it lives by its answers, which are asked for anyway."""


@dataclass(frozen=True)
class Pulses:
    """When each part showed life last."""

    alive: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """By name and uuid of each part that was ever listed: the newest POST that it has taken over,
    monotonic [s]."""
    lacking: tuple[str, ...] = _KINDS
    """Kinds of which none is listed."""
    steady: bool = False
    """Each part that was listed has shown life once; what is listed later is new."""
    shown: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """By name and uuid: the hash that the part has shown last."""
    listed: float = _NEVER
    """When, monotonic [s]."""
    since: float = _NEVER
    """The controller has listed them without a pause since then, monotonic [s]."""
    begun: float = _NEVER
    """Of what this device posts, only what was posted later shows life, monotonic [s].

    Older proof may be at the limit of what counts, and silence would follow before the next pulse.
    """


def seen(pulses: Pulses, config: Config, posts: Posts, now: float) -> Pulses:
    """Take in what the controller lists, however old that is.

    Args:
        pulses: the state before.
        config: the services with the hash that each shows.
        posts: what was posted.
        now: monotonic [s].
    """
    times = {shown: when for shown, when in posts if when >= pulses.begun}
    known = dict(posts)
    alive = dict(pulses.alive)
    shown = {}
    for service in (*config.ingesters, *config.workers):
        part = str(service), service.uuid
        shown[part] = service.parameters_hash
        before = alive.get(part, now if pulses.steady else _NEVER)
        proof = times.get(service.parameters_hash, _NEVER)
        if shown[part] not in known and pulses.shown.get(part, shown[part]) != shown[part]:
            # Others post too, and what it has taken over from them is life as well.
            proof = max(proof, pulses.listed - _CACHED)
        alive[part] = max(before, proof)
    listed = {service.kind for service in config.services}
    lacking = tuple(kind for kind in _KINDS if kind not in listed)
    steady = pulses.steady or (not lacking and _NEVER not in alive.values())
    since = pulses.since if now - pulses.listed <= _GAP else now
    return Pulses(alive, lacking, steady, shown, now, since, pulses.begun)


def silent(pulses: Pulses, posts: Posts, now: float, bound: float) -> tuple[str, ...]:
    """Name the parts that have shown no life for longer than a bound.

    A part that was started anew is silent too: the one before it is gone.

    Args:
        pulses: what is known.
        posts: what was posted.
        now: monotonic [s].
        bound: [s]
    """
    newest = posts[-1][1] if posts else _NEVER
    if now - newest > bound:
        # Without it nobody hears of the others.
        return (CONTROLLER,)
    found = {name for (name, _), when in pulses.alive.items() if now - when > bound}
    return tuple(sorted(found | {f"any {kind}" for kind in pulses.lacking}))


def silent_services(pulses: Pulses, posts: Posts, bound: float) -> frozenset[tuple[str, str]]:
    """Return name and uuid of workers and ingesters that do not take over what is posted.

    What the controller is to blame for does not count: the time before it listed them again
    without a pause, and that in which nothing could be posted.

    Args:
        pulses: what is known.
        posts: what was posted.
        bound: how long a part may lack a POST while the controller lists it [s].
    """
    if not pulses.steady:
        return frozenset()
    found = set()
    for (part, uuid), alive in pulses.alive.items():
        lacking = min((when for _, when in posts if when > alive), default=pulses.listed)
        if pulses.listed - max(lacking, pulses.since) > bound:
            found.add((part.partition(" ")[2], uuid))
    return frozenset(found)
