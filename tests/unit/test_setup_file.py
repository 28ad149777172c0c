"""Setups: what is read is what was written, and nothing of a wrong file is taken."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from femtotango.setup_file import (
    GEOMETRY,
    Setup,
    SetupError,
    format_setup,
    load_setup,
    parse_setup,
    save_setup,
)
from pipeline.model.parameters import PARAMETERS
from pipeline.model.roi import Roi

NUMBERS = [name for name in GEOMETRY if PARAMETERS[name].kind is float]
FULL = Setup(
    {"photon_energy": 13.5, "distance": 0.131},
    (1.51, 2.14),
    {"ring å": Roi(430, 330, 40, 70)},
)


def test_a_file_gives_back_what_was_saved(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    save_setup(file, FULL, replace=False)
    assert load_setup(file) == FULL
    with pytest.raises(SetupError, match=r"a\.json"):
        save_setup(file, Setup(q_values=()), replace=False)
    assert load_setup(file) == FULL
    save_setup(file, Setup(q_values=()), replace=True)
    assert load_setup(file) == Setup(q_values=())
    with pytest.raises(SetupError, match="Not saved"):
        save_setup(tmp_path / "nowhere" / "a.json", FULL, replace=True)


@given(
    st.dictionaries(st.sampled_from(NUMBERS), st.floats(0, 89)),
    st.lists(st.floats(1e-6, 1e6)),
)
def test_every_number_survives(geometry: dict[str, float], q: list[float]) -> None:
    setup = Setup(geometry, tuple(q), {})
    assert parse_setup(format_setup(setup)) == setup


def test_geometry_has_all_that_the_table_has() -> None:
    assert set(GEOMETRY) <= set(PARAMETERS)
    assert all(PARAMETERS[name].attribute for name in GEOMETRY)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"roi": {}}, "'roi' is not known; accepted are .*rois"),
        ({"geometry": {"Distance": 1}}, "'Distance' in geometry is not known.*photon_energy"),
        ({"geometry": {"tilt": 95}}, "tilt = 95: expected -89 … 89 deg"),
        ({"geometry": {"distance": "0.1"}}, "distance = '0.1': expected a number"),
        ({"geometry": [1]}, "geometry = .*expected an object"),
        ({"q_values": [1.5, -1]}, "q_values: -1: expected a number above 0"),
        ({"q_values": [True]}, "q_values: True"),
        ({"q_values": 1.5}, "q_values = 1.5: expected a list"),
        ({"rois": {"a": {"x": 1}}}, "rois: ROI 'a': 'y' is missing"),
        ({"rois": {"θ": {"x": 1, "y": 1, "width": 1, "height": 1}}}, "Latin-1"),
        ({"femtotango_setup": 2}, "femtotango_setup = 2: expected 1"),
    ],
)
def test_what_is_wrong_is_named(changes: dict, told: str, tmp_path: Path) -> None:
    file = tmp_path / "wrong.json"
    file.write_text(json.dumps({"femtotango_setup": 1, **changes}))
    with pytest.raises(SetupError, match=rf"wrong\.json: .*{told}.*Nothing was changed"):
        load_setup(file)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "not JSON"),
        ("[1]", "'femtotango_setup' is missing"),
        ('{"femtotango_setup": 1}', "empty.*geometry"),
        ('{"femtotango_setup": 1, "rois": {}, "rois": {}}', "'rois' stands there twice"),
        ('{"femtotango_setup": 1, "q_values": [NaN]}', "expected a number above 0"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_other_files_are_refused(text: str, told: str) -> None:
    with pytest.raises(SetupError, match=told):
        parse_setup(text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"none\.json cannot be read: No such file"):
        load_setup(tmp_path / "none.json")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe")
    with pytest.raises(SetupError, match="not UTF-8"):
        load_setup(tmp_path / "binary.json")
