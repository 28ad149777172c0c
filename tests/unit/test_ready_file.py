"""Where a running stack can be reached, as the ready file says it."""

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from femtotango.commands.simulate import prepare
from femtotango.ready_file import ReadyFileError, read_ready_file
from femtotango.sardana.config import sardana_config
from femtotango.stack.errors import ConfigError
from femtotango.stack.files import write_ready_file
from pipeline.simulation.scan import BurstScan

INFO = {
    "device": "tango://here:1/a/b/c",
    "tango_host": "here:1",
    "sardana": "http://here:2",
    "streams": {"pilatus": "tcp://here:3"},
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ready.json"


def test_what_up_writes_is_read(path):
    write_ready_file(path, dict(INFO))
    ready = read_ready_file(path)
    assert (ready.device, ready.sardana) == (INFO["device"], INFO["sardana"])
    assert ready.address_of("pilatus") == "tcp://here:3"
    assert ready.address_of("sardana") == "http://here:2"


@pytest.mark.parametrize("stream", ["andor3_balor", "sardana"])
def test_a_stream_that_the_stack_does_not_take_is_named(path, stream):
    path.write_text(json.dumps({**INFO, "sardana": ""}))
    with pytest.raises(ReadyFileError, match=f"'{stream}': .*{path.name} .* use pilatus, or start"):
        read_ready_file(path).address_of(stream)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "no stack is ready there .No such file"),
        ("", "is no ready file: Expecting value"),
        ("[1]", "it holds '.1.' instead of addresses"),
        ("{}", "'device' is None instead of an address"),
        (json.dumps({**INFO, "sardana": 5}), "'sardana' is 5 instead of an address"),
        (json.dumps({**INFO, "streams": None}), "'streams' is None instead of addresses"),
        (json.dumps({**INFO, "streams": {"pilatus": 5}}), "'streams' is {'pilatus': 5} instead"),
    ],
)
def test_both_commands_say_what_is_wrong_and_what_to_do(path, text, said):
    if text is not None:
        path.write_text(text)
    whole = f"{path}.*{said}.*Start `femtotango up --ready-file {path}`"
    with pytest.raises(ConfigError, match=whole):
        prepare(path, ["pilatus"], BurstScan())
    refused = CliRunner().invoke(sardana_config, ["--ready-file", str(path)], standalone_mode=False)
    assert isinstance(refused.exception, click.ClickException)
    with pytest.raises(click.ClickException, match=whole):
        raise refused.exception
