"""What the commands share: checks, tables, pictures."""

import math

import numpy as np
import pytest
from matplotlib.image import imread
from rich.console import Console

from femtotango.commands import viewer
from femtotango.commands.demo.checks import Check, check_table, equal, require_passed
from femtotango.commands.demo.pictures import save_curves, save_image
from femtotango.commands.demo.report import show
from femtotango.stack.errors import MissingPart, WrongResult


def test_what_is_wrong_is_named():
    require_passed([equal("frames", 30, 30)])
    with pytest.raises(WrongResult, match="frames: expected 30, got 29"):
        require_passed([equal("frames", 30, 29), Check("sum", "1", "1", True)])


def test_brackets_survive_the_table():
    console = Console(record=True, width=100)
    console.print(check_table("title", [equal("peak [1/Å]", [1.0, 2.0], [1.0, 2.5])]))
    text = console.export_text()
    assert "peak [1/Å]" in text
    assert "[1.0, 2.5]" in text
    assert "WRONG" in text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (1555495.6, "1,555,495.6"),
        (30, "30"),
        (True, "True"),
        (np.array([1.0, 1.25, 1.5, 2.0]), "1, 1.25, …, 2 (4)"),
        (np.array([]), " (0)"),
        ("scan", "scan"),
    ],
)
def test_values_fit_into_a_cell(value, text):
    assert show(value) == text


def test_pictures_have_something_in_them(tmp_path):
    image = np.random.default_rng(1).poisson(3.0, (60, 90)).astype(np.float32)
    image[:20] = math.nan
    ring = np.array([[30.0, 10.0], [40.0, 50.0], [math.nan, math.nan], [50.0, 80.0]])
    save_image(tmp_path / "image.png", image, "title", [ring])
    x = np.arange(5.0)
    save_curves(
        tmp_path / "curves.png",
        x,
        [("a", x, None), ("b", x**2, x)],
        ("x", "y"),
        "title",
        [(2, "c")],
    )
    for name in ("image.png", "curves.png"):
        assert np.std(imread(tmp_path / name)[..., :3]) > 0.02


def test_a_viewer_without_its_packages_is_told_how_to_get_them(monkeypatch):
    monkeypatch.setattr(viewer, "_NEEDED", ("json", "no_such_package"))
    with pytest.raises(
        MissingPart, match=r"needs no_such_package: pip install 'femtotango\[gui\]'"
    ):
        viewer.viewer_command()
