import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from sardana_config.validate import sanity_check_config
from sardana_config.yaml_utils import load_yaml

from femtotango.sardana.config import sardana_config


def run(*arguments: str) -> str:
    result = CliRunner().invoke(sardana_config, arguments)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def ready_file(tmp_path: Path) -> Path:
    path = tmp_path / "ready.json"
    path.write_text(
        json.dumps(
            {
                "device": "tango://localhost:1/a/b/c",
                "sardana": "http://localhost:2",
                "streams": {"pilatus": "tcp://127.0.0.1:3", "andor3_balor": "tcp://127.0.0.1:4"},
            }
        )
    )
    return path


def test_configuration_is_one_that_sardana_accepts(tmp_path, ready_file):
    target = tmp_path / "sardana.yaml"
    run(
        *("--ready-file", str(ready_file), "--simulate", "pilatus", "--simulate", "andor3_balor"),
        *("--burst", "3", "--directory", str(tmp_path), "--write", str(target)),
    )
    config = load_yaml(str(target))
    sanity_check_config(config, check_code=True)
    pool = config["pools"]["femtomax"]
    assert (
        pool["controllers"]["femtomax_balor_ctrl"]["properties"]["Address"] == "tcp://127.0.0.1:4"
    )
    assert list(pool["measurement_groups"]) == [
        *("femtomax_pilatus", "femtomax_balor", "femtomax_all")
    ]
    counters = pool["controllers"]["femtomax_channels"]["elements"]
    assert counters["roi8_x"]["attributes"]["Source"] == "Roi8X"
    assert counters["fit_centre"]["attributes"]["Source"] == "FitCentre"
    channels = str(pool["measurement_groups"]["femtomax_pilatus"]["channels"])
    assert "roi1_sum" in channels and "roi8_x" not in channels
    variables = config["macro_servers"]["femtomax"]["environment"]["variables"]
    assert variables["FemtomaxDevice"] == "tango://localhost:1/a/b/c"
    assert variables["FemtomaxSardanaUrl"] == "http://localhost:2"
    assert variables["FemtomaxBurst"] == 3


def test_paths_hold_what_sardana_looks_for():
    lines = dict(line.split(": ") for line in run("--paths").splitlines())
    found = [sorted(p.name for p in Path(path).glob("femtomax_*.py")) for path in lines.values()]
    assert found == [
        ["femtomax_channels.py", "femtomax_simulator.py"],
        [
            "femtomax_corrections.py",
            "femtomax_peak.py",
            "femtomax_prepare.py",
            "femtomax_regions.py",
            "femtomax_scan.py",
            "femtomax_settings.py",
            "femtomax_setup.py",
        ],
        ["femtomax_recorder.py"],
    ]


def test_nothing_is_overwritten(tmp_path):
    target = tmp_path / "sardana.yaml"
    target.write_text("mine")
    result = CliRunner().invoke(sardana_config, ["--write", str(target)])
    assert result.exit_code == 1
    assert "never overwritten" in result.output
    assert target.read_text() == "mine"


def test_simulated_camera_needs_its_address():
    result = CliRunner().invoke(sardana_config, ["--simulate", "pilatus"])
    assert result.exit_code == 2
    assert "--ready-file" in result.output


@pytest.mark.parametrize("content", [None, "{}", "no json"])
def test_ready_file_that_cannot_be_used_is_named(tmp_path, content):
    path = tmp_path / "ready.json"
    if content is not None:
        path.write_text(content)
    result = CliRunner().invoke(sardana_config, ["--ready-file", str(path)])
    assert result.exit_code == 1
    assert str(path) in result.output
