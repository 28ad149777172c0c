"""When a stack is ready: conditions on what dranspose's controller says about its services."""

from collections.abc import Collection, Mapping
from typing import Any

Config = Mapping[str, Any]
"""Answer of ``GET /api/v1/config``."""


def missing(
    config: Config,
    workers: Collection[str],
    ingesters: Collection[str],
    gone: Collection[str] = (),
) -> list[str]:
    """Say what keeps a stack from taking a scan.

    Args:
        config: the controller's answer.
        workers: names that must be there.
        ingesters: names that must be there.
        gone: ``service_uuid`` of processes that have ended; the controller lists them for 10 s.

    Returns:
        One phrase for each condition that does not hold; empty: ready.
    """
    present = {w["name"]: w for w in config["workers"] if w["service_uuid"] not in gone}
    sources = {i["name"]: i for i in config["ingesters"] if i["service_uuid"] not in gone}
    reducer = config["reducer"]
    found = [f"{name} has not registered" for name in workers if name not in present]
    found += [f"{name} has not registered" for name in ingesters if name not in sources]
    if reducer is None or reducer["service_uuid"] in gone:
        found.append("the reducer has not registered")
    if found:
        return found
    current = {i["service_uuid"] for i in sources.values()}
    worker_ids = {w["service_uuid"] for w in present.values()}
    for name, worker in present.items():
        if {i["service_uuid"] for i in worker["ingesters"]} != current:
            found.append(f"{name} does not see all ingesters")
    for name, source in sources.items():
        if not worker_ids <= set(source["connected_workers"]):
            found.append(f"{name} does not see all workers")
    services = [*present.values(), *sources.values(), reducer]
    hashes = {s["parameters_hash"] for s in services} | {config["parameters_hash"]}
    if len(hashes) != 1 or not config["parameters_version"]:
        found.append("the parameters have not reached all services")
    return found


def service_ids(config: Config) -> dict[str, str]:
    """Return the ``service_uuid`` of each service by its name."""
    services = [*config["workers"], *config["ingesters"]]
    if config["reducer"] is not None:
        services.append(config["reducer"])
    return {s["name"]: s["service_uuid"] for s in services}
