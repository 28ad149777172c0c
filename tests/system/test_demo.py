"""`femtotango demo` as a user runs it."""

import subprocess
import sys

import numpy as np
import pytest
from matplotlib.image import imread
from support.waiting import PATIENCE

pytestmark = pytest.mark.slow

PICTURES = (
    "accumulated_image.png",
    "azimuthal.png",
    "energy_histogram.png",
    "roi_mean_over_motor.png",
)


def test_the_demo_is_right_and_draws_pictures(tmp_path):
    result = subprocess.run(
        [sys.executable, "-m", "femtotango.cli", "demo", "--output", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "WRONG" not in result.stdout
    assert "frames in the" in result.stdout
    for name in PICTURES:
        picture = imread(tmp_path / name)
        assert np.std(picture[..., :3]) > 0.02, name
    assert len(list((tmp_path / "process").glob("*_xye.h5"))) == 1
