"""The pipeline's services as the controller lists them, and whether they are ready; pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Service:
    """One ingester, worker or the reducer, as the controller lists it."""

    kind: str
    """ingester, worker or reducer."""
    name: str
    uuid: str
    """Of the process: one that was restarted under its old name has another uuid."""
    parameters_hash: str
    """Of the parameters that it has taken over."""
    mapping: str
    """uuid of the trigger map that it works on."""
    streams: frozenset[str] = frozenset()
    """Ingesters only: what they bring."""
    peers: frozenset[str] = frozenset()
    """uuids: the ingesters that a worker knows, or the workers connected to an ingester."""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}" if self.kind != "reducer" else "the reducer"


@dataclass(frozen=True)
class Config:
    """The pipeline's parts; up to half a second old."""

    ingesters: tuple[Service, ...]
    workers: tuple[Service, ...]
    reducer: Service | None
    parameters_hash: str
    parameters_version: Mapping[str, str]

    @property
    def streams(self) -> frozenset[str]:
        """What the ingesters bring."""
        return frozenset(stream for i in self.ingesters for stream in i.streams)

    @property
    def mapping(self) -> str:
        """The trigger map that the reducer works on."""
        return self.reducer.mapping if self.reducer else ""

    @property
    def worker_names(self) -> frozenset[str]:
        """The workers that are listed."""
        return frozenset(worker.name for worker in self.workers)

    @property
    def sources_and_workers(self) -> frozenset[tuple[str, str]]:
        """Name and uuid of what handles frames; a restarted one has another uuid."""
        return frozenset((s.name, s.uuid) for s in (*self.ingesters, *self.workers))

    @property
    def services(self) -> tuple[Service, ...]:
        """All that are listed."""
        return (*self.ingesters, *self.workers, *([self.reducer] if self.reducer else []))

    @property
    def services_known(self) -> frozenset[tuple[str, str]]:
        """Name and uuid of all that are listed."""
        return frozenset((service.name, service.uuid) for service in self.services)

    @property
    def uuids(self) -> dict[str, str]:
        """uuid of each service by its name."""
        return {service.name: service.uuid for service in self.services}

    def without(self, gone: Collection[str]) -> "Config":
        """Leave out processes that are known to have ended: they stay listed for 10 s.

        Args:
            gone: their uuids.
        """
        reducer = self.reducer
        return replace(
            self,
            ingesters=tuple(i for i in self.ingesters if i.uuid not in gone),
            workers=tuple(w for w in self.workers if w.uuid not in gone),
            reducer=None if reducer is None or reducer.uuid in gone else reducer,
        )

    def not_ready(
        self,
        parameters_hash: str | None = None,
        workers: Iterable[str] = (),
        ingesters: Iterable[str] = (),
    ) -> tuple[str, ...]:
        """Say what keeps the pipeline from taking a scan; empty: nothing.

        Args:
            parameters_hash: what all services must show; None: what the controller has.
            workers: names that must be there.
            ingesters: names that must be there.
        """
        accepted = () if parameters_hash is None else (parameters_hash,)
        return self.behind(*accepted) + self.missing(workers, ingesters)

    def behind(self, *hashes: str) -> tuple[str, ...]:
        """Say which services have not taken the newest parameters.

        Args:
            hashes: of which each must show one; none: what the controller has.
        """
        accepted = hashes or (self.parameters_hash,)
        found = []
        if self.parameters_hash not in accepted:
            found.append("the controller has other parameters")
        found += [
            f"{service} has not taken the parameters yet"
            for service in self.services
            if service.parameters_hash not in accepted
        ]
        return tuple(found)

    def missing(
        self, workers: Iterable[str] = (), ingesters: Iterable[str] = ()
    ) -> tuple[str, ...]:
        """Say what is missing, and which services have not found one another yet.

        Args:
            workers: names that must be there; at least one worker must be there in any case.
            ingesters: names that must be there.
        """
        found = [f"worker {n} is missing" for n in workers if n not in self.worker_names]
        listed = {i.name for i in self.ingesters}
        found += [f"ingester {n} is missing" for n in ingesters if n not in listed]
        if self.reducer is None:
            found.append("the reducer is missing")
        if not self.workers:
            found.append("no worker is running")
        if not self.parameters_version:
            found.append("the controller has no parameters yet")
        ingester_uuids = {i.uuid for i in self.ingesters}
        worker_uuids = {w.uuid for w in self.workers}
        # A worker that still listens to an ingester that has gone has not found the new one.
        found += [
            f"{w} does not know all ingesters yet"
            for w in self.workers
            if w.peers != ingester_uuids
        ]
        # An ingester keeps workers that have gone for a while.
        found += [
            f"{i} is not connected to all workers yet"
            for i in self.ingesters
            if not i.peers >= worker_uuids
        ]
        return tuple(found)


@dataclass(frozen=True)
class Progress:
    """How far the controller is with its trigger map, in dranspose events."""

    last_assigned: int
    completed: int
    total: int
    finished: bool

    def __str__(self) -> str:
        return f"{self.completed} of {self.total} events"


def read_config(raw: Mapping[str, Any]) -> Config:
    """Read the controller's answer to ``GET /api/v1/config``; unknown parts are left out.

    Raises:
        KeyError, TypeError, AttributeError: it is no such answer.
    """
    reducer = raw.get("reducer")
    return Config(
        ingesters=tuple(
            _read_service("ingester", ingester, (ingester.get("connected_workers") or {}).values())
            for ingester in raw.get("ingesters") or ()
        ),
        workers=tuple(
            _read_service("worker", worker, worker.get("ingesters") or ())
            for worker in raw.get("workers") or ()
        ),
        reducer=_read_service("reducer", reducer) if reducer else None,
        parameters_hash=str(raw.get("parameters_hash") or ""),
        parameters_version={str(n): str(v) for n, v in raw["parameters_version"].items()},
    )


def _read_service(
    kind: str, raw: Mapping[str, Any], peers: Iterable[Mapping[str, Any]] = ()
) -> Service:
    return Service(
        kind=kind,
        name=str(raw.get("name", kind)),
        uuid=str(raw.get("service_uuid", "")),
        parameters_hash=str(raw.get("parameters_hash") or ""),
        mapping=str(raw.get("mapping_uuid") or ""),
        streams=frozenset(raw.get("streams") or ()) if kind == "ingester" else frozenset(),
        peers=frozenset(str(peer.get("service_uuid")) for peer in peers),
    )
