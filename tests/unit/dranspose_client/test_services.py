"""What the controller says about its services, and when they are ready."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from femtotango.dranspose_client.services import read_config

WORKERS, INGESTERS = ["w1", "w2"], ["pilatus-ingester", "sardana-ingester"]
Raw = dict[str, Any]


def service(name: str, **more: Any) -> Raw:
    return {"name": name, "service_uuid": f"id-{name}", "parameters_hash": "h", **more}


READY: Raw = {
    "ingesters": [
        service(
            name,
            streams=[name.removesuffix("-ingester")],
            connected_workers={f"id-{worker}": service(worker) for worker in WORKERS},
        )
        for name in INGESTERS
    ],
    "workers": [service(name, ingesters=[service(i) for i in INGESTERS]) for name in WORKERS],
    "reducer": service("reducer", mapping_uuid="m"),
    "parameters_version": {"accumulate": "v"},
    "parameters_hash": "h",
}


def not_ready(raw: Raw, gone: frozenset[str] = frozenset()) -> tuple[str, ...]:
    return read_config(raw).without(gone).not_ready(workers=WORKERS, ingesters=INGESTERS)


def test_all_there() -> None:
    config = read_config(READY)
    assert not_ready(READY) == config.not_ready() == config.behind("h") == ()
    assert config.mapping == "m"
    assert config.streams == {"pilatus", "sardana"}
    assert config.worker_names == set(WORKERS)
    assert config.uuids == {name: f"id-{name}" for name in (*INGESTERS, *WORKERS, "reducer")}
    assert config.sources_and_workers == {(n, f"id-{n}") for n in (*INGESTERS, *WORKERS)}


def dropped(kind: str) -> Callable[[Raw], object]:
    return lambda raw: raw[kind].pop()


def changed(*path: Any, to: Any) -> Callable[[Raw], object]:
    def change(raw: Any) -> None:
        *keys, last = path
        for key in keys:
            raw = raw[key]
        raw[last] = to

    return change


@pytest.mark.parametrize(
    ("change", "phrase"),
    [
        (dropped("workers"), "worker w2 is missing"),
        (dropped("ingesters"), "ingester sardana-ingester is missing"),
        (changed("workers", to=[]), "no worker is running"),
        (changed("reducer", to=None), "the reducer is missing"),
        (changed("workers", 0, "ingesters", to=[]), "worker w1 does not know all ingesters yet"),
        (
            changed("workers", 0, "ingesters", 0, "service_uuid", to="old"),
            "worker w1 does not know all ingesters yet",
        ),
        (
            changed("workers", 0, "ingesters", to=[service(n) for n in ("old", *INGESTERS)]),
            "worker w1 does not know all ingesters yet",
        ),
        (
            changed("ingesters", 1, "connected_workers", to={"id-w1": service("w1")}),
            "ingester sardana-ingester is not connected to all workers yet",
        ),
        (
            changed("workers", 1, "parameters_hash", to="old"),
            "worker w2 has not taken the parameters yet",
        ),
        (
            changed("reducer", "parameters_hash", to="old"),
            "the reducer has not taken the parameters yet",
        ),
        (changed("parameters_hash", to="new"), "worker w1 has not taken the parameters yet"),
        (changed("parameters_version", to={}), "the controller has no parameters yet"),
    ],
)
def test_what_is_missing_is_named(change: Callable[[Raw], object], phrase: str) -> None:
    raw = copy.deepcopy(READY)
    change(raw)
    assert phrase in not_ready(raw)


def test_an_ingester_may_remember_workers_that_have_gone() -> None:
    raw = copy.deepcopy(READY)
    raw["ingesters"][0]["connected_workers"]["id-old"] = service("old")
    assert not_ready(raw) == ()


@pytest.mark.parametrize(
    ("gone", "phrase"),
    [
        ("id-w1", "worker w1 is missing"),
        ("id-pilatus-ingester", "ingester pilatus-ingester is missing"),
        ("id-reducer", "the reducer is missing"),
    ],
)
def test_the_entry_of_a_process_that_has_ended_does_not_count(gone: str, phrase: str) -> None:
    assert phrase in not_ready(READY, frozenset({gone}))


def test_all_must_show_the_hash_that_is_asked_for() -> None:
    found = read_config(READY).behind("newer")
    assert found[0] == "the controller has other parameters"
    assert len(found) == 1 + len(INGESTERS) + len(WORKERS) + 1


@pytest.mark.parametrize("raw", [{}, {"parameters_version": None}, {**READY, "workers": [1]}, []])
def test_what_is_no_configuration_is_refused(raw: Any) -> None:
    with pytest.raises((KeyError, TypeError, AttributeError)):
        read_config(raw)
