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
        ({"workers": 10**9}, "256 are the most"),
        ({"patience": 9}, "patience = 9: at least 10 s"),
        ({"hang_patience": 2}, "hang_patience = 2: at least 3 s"),
        ({"ports": {"redis": 70000}}, r"\[ports\] redis = 70000: a port is a number, 0 … 65535"),
        ({"ports": {"redis": -1}}, "redis = -1: a port is a number"),
        ({"streams": {"pilatus": "tcp://host:70000"}}, "PORT from 1 to 65535"),
        ({"streams": {"pilatus": "tcp://host"}}, "pilatus = 'tcp://host': .* tcp://HOST:PORT"),
        ({"streams": {"pilatus": "detector:9999"}}, "binds at tcp://HOST:PORT"),
        ({"workers": 10**5000}, "stack.toml: workers is too large a number"),
        ({"ports": {"redis": 10**5000}}, "redis is too large a number"),
        ({"properties": {"UpdateRate": 10**5000}}, "UpdateRate is too large a number"),
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


@pytest.mark.parametrize("text", ["workers: 2", f"workers = {'9' * 5000}", "a = " + "[" * 5000])
def test_what_is_no_toml_is_named(tmp_path: Path, text: str):
    file = tmp_path / "stack.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match="is not TOML"):
        read_config(file)


def test_a_number_with_thousands_of_digits_is_refused_in_any_base(tmp_path: Path):
    file = tmp_path / "stack.toml"
    file.write_text(f"workers = 0x{'F' * 5000}")
    with pytest.raises(ConfigError, match="workers is too large a number"):
        read_config(file)
