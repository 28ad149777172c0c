"""The pipeline's services as the controller lists them; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Service:
    """One ingester, worker or the reducer, as the controller lists it."""

    kind: str
    name: str
    uuid: str
    parameters_hash: str
    mapping: str
    streams: frozenset[str] = frozenset()
    """Ingesters only."""
    peers: frozenset[str] = frozenset()
    """uuids: the ingesters that a worker knows, or the workers connected to an ingester."""


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

    def behind(self, parameters_hash: str | None = None) -> tuple[str, ...]:
        """Say which services have not taken the newest parameters.

        Args:
            parameters_hash: what all must show; None: what the controller has.
        """
        wanted = self.parameters_hash if parameters_hash is None else parameters_hash
        services = (*self.ingesters, *self.workers, *([self.reducer] if self.reducer else []))
        found = [
            f"{s.kind} {s.name} has not taken the parameters yet"
            for s in services
            if s.parameters_hash != wanted
        ]
        if self.parameters_hash != wanted:
            found.insert(0, "the controller has other parameters")
        return tuple(found)

    def missing(self) -> tuple[str, ...]:
        """Say which services are missing or have not found one another yet."""
        found = []
        if self.reducer is None:
            found.append("the reducer is missing")
        if not self.workers:
            found.append("no worker is running")
        ingesters = {i.uuid for i in self.ingesters}
        workers = {w.uuid for w in self.workers}
        found += [
            f"worker {w.name} does not know all ingesters yet"
            for w in self.workers
            if not w.peers >= ingesters
        ]
        found += [
            f"ingester {i.name} is not connected to all workers yet"
            for i in self.ingesters
            if not i.peers >= workers
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
    """Read the controller's answer, of which unknown parts are left out."""

    def service(kind: str, raw: Mapping[str, Any], peers: frozenset[str]) -> Service:
        return Service(
            kind=kind,
            name=str(raw.get("name", kind)),
            uuid=str(raw.get("service_uuid", "")),
            parameters_hash=str(raw.get("parameters_hash") or ""),
            mapping=str(raw.get("mapping_uuid") or ""),
            streams=frozenset(raw.get("streams") or ()) if kind == "ingester" else frozenset(),
            peers=peers,
        )

    reducer = raw.get("reducer")
    return Config(
        ingesters=tuple(
            service(
                "ingester",
                i,
                frozenset(
                    str(w.get("service_uuid")) for w in (i.get("connected_workers") or {}).values()
                ),
            )
            for i in raw.get("ingesters") or ()
        ),
        workers=tuple(
            service(
                "worker",
                w,
                frozenset(str(i.get("service_uuid")) for i in w.get("ingesters") or ()),
            )
            for w in raw.get("workers") or ()
        ),
        reducer=service("reducer", reducer, frozenset()) if reducer else None,
        parameters_hash=str(raw.get("parameters_hash") or ""),
        parameters_version={str(n): str(v) for n, v in raw["parameters_version"].items()},
    )
