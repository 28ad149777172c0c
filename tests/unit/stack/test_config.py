"""The configuration file of `femtotango up`."""

from pathlib import Path

import pytest

from femtotango.stack.config import StackConfig, config_from_table, read_config
from femtotango.stack.errors import ConfigError
from pipeline.model.cameras import CAMERAS


def test_defaults_stay_on_loopback_and_know_all_cameras():
    config = StackConfig()
    assert config.bind == "127.0.0.1"
    assert tuple(config.streams) == tuple(CAMERAS)


def test_everything_can_be_set(tmp_path: Path):
    file = tmp_path / "stack.toml"
    file.write_text(
        'bind = "0.0.0.0"\nworkers = 3\n[ports]\nredis = 7001\n'
        '[streams]\npilatus = "tcp://detector:9999"\n[properties]\nOutputFolder = "/data"\n'
    )
    config = read_config(file)
    assert (config.bind, config.workers, config.ports.redis) == ("0.0.0.0", 3, 7001)
    assert dict(config.streams) == {"pilatus": "tcp://detector:9999"}
    assert dict(config.properties) == {"OutputFolder": "/data"}


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ({"worker": 2}, "'worker' is not known; use bind, workers"),
        ({"workers": "2"}, "workers = '2' must be of type int"),
        ({"workers": True}, "workers = True must be of type int"),
        ({"workers": 0}, "at least 1"),
        ({"ports": 5}, "ports must be a table"),
        ({"ports": {"http": 1}}, "'http' is not known; use redis"),
        ({"streams": {"eiger": ""}}, "no such camera, known are pilatus"),
        ({"streams": {"pilatus": []}}, "must be a text"),
        ({"device": "analysis"}, "form a/b/c"),
    ],
)
def test_what_cannot_be_used_is_named(table, text):
    with pytest.raises(ConfigError, match=text):
        config_from_table(table, "stack.toml")


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"stack\.toml: No such file"):
        read_config(tmp_path / "stack.toml")


def test_what_is_no_toml_is_named(tmp_path: Path):
    file = tmp_path / "stack.toml"
    file.write_text("workers: 2")
    with pytest.raises(ConfigError, match="is not TOML"):
        read_config(file)
