"""When a stack can take a scan."""

import copy

import pytest

from femtotango.stack.readiness import missing, service_ids

WORKERS, INGESTERS = ["w1", "w2"], ["pilatus-ingester", "sardana-ingester"]


def ready_config():
    ingesters = [
        {
            "name": name,
            "service_uuid": f"id-{name}",
            "connected_workers": {"id-w1": {}, "id-w2": {}},
            "parameters_hash": "h",
        }
        for name in INGESTERS
    ]
    workers = [
        {
            "name": name,
            "service_uuid": f"id-{name}",
            "ingesters": [{"service_uuid": f"id-{i}"} for i in INGESTERS],
            "parameters_hash": "h",
        }
        for name in WORKERS
    ]
    return {
        "ingesters": ingesters,
        "workers": workers,
        "reducer": {"name": "reducer", "service_uuid": "id-reducer", "parameters_hash": "h"},
        "parameters_version": {"accumulate": "v"},
        "parameters_hash": "h",
    }


def test_all_there():
    assert missing(ready_config(), WORKERS, INGESTERS) == []


def _drop(kind):
    return lambda config: config[kind].pop()


def _set(path, value):
    def change(config):
        *keys, last = path
        for key in keys:
            config = config[key]
        config[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "phrase"),
    [
        (_drop("workers"), "w2 has not registered"),
        (_drop("ingesters"), "sardana-ingester has not registered"),
        (_set(["reducer"], None), "the reducer has not registered"),
        (_set(["workers", 0, "ingesters"], []), "w1 does not see all ingesters"),
        (
            _set(["workers", 0, "ingesters", 0, "service_uuid"], "old"),
            "w1 does not see all ingesters",
        ),
        (
            _set(["ingesters", 1, "connected_workers"], {"id-w1": {}}),
            "sardana-ingester does not see all workers",
        ),
        (_set(["workers", 1, "parameters_hash"], "old"), "the parameters have not reached"),
        (_set(["parameters_hash"], "new"), "the parameters have not reached"),
        (_set(["parameters_version"], {}), "the parameters have not reached"),
    ],
)
def test_what_is_missing_is_named(change, phrase):
    config = copy.deepcopy(ready_config())
    change(config)
    found = missing(config, WORKERS, INGESTERS)
    assert any(text.startswith(phrase) for text in found), found


@pytest.mark.parametrize("gone", ["id-w1", "id-pilatus-ingester", "id-reducer"])
def test_an_entry_of_a_dead_process_does_not_count(gone):
    assert missing(ready_config(), WORKERS, INGESTERS, {gone})


def test_ids_by_name():
    ids = service_ids(ready_config())
    assert ids["w1"] == "id-w1"
    assert set(ids) == {*WORKERS, *INGESTERS, "reducer"}
