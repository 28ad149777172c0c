"""What is done with a camera's frames is found out again where it may have changed."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.model.cameras import CAMERAS
from pipeline.model.correction_files import CorrectionFile, format_files
from pipeline.model.parameters import Settings
from pipeline.photons.corrections import CorrectionLoader
from pipeline.worker.frame_plan import FramePlans

ZYLA = CAMERAS["andor3_zyla10"]
FRAME = np.zeros((6, 8), np.uint16)
SETTINGS = Settings()


def test_frames_of_a_kind_have_one_plan() -> None:
    plans = FramePlans()
    plan, problems = plans.of(ZYLA, FRAME, "scan", SETTINGS)
    assert problems == ()
    assert plans.of(ZYLA, FRAME + 1, "scan", SETTINGS)[0] is plan
    assert plans.of(CAMERAS["andor3_zyla12"], FRAME, "scan", SETTINGS)[0] is not plan
    assert plans.of(ZYLA, FRAME, "scan", SETTINGS)[0] is plan


@pytest.mark.parametrize(
    ("frame", "mapping", "settings"),
    [
        (FRAME[1:], "scan", SETTINGS),
        (FRAME.astype(np.float32), "scan", SETTINGS),
        (FRAME, "next", SETTINGS),
        (FRAME, "scan", SETTINGS.replaced("background", 90.5)),
    ],
    ids=["shape", "dtype", "trigger map", "settings"],
)
def test_frames_of_another_kind_have_another(
    frame: np.ndarray, mapping: str, settings: Settings
) -> None:
    plans = FramePlans()
    before, _ = plans.of(ZYLA, FRAME, "scan", SETTINGS)
    plan, _ = plans.of(ZYLA, frame, mapping, settings)
    assert plan is not before
    assert plan.key.shape == frame.shape
    assert plan.key.mapping == mapping
    assert plan.background == settings.background


def test_a_file_that_cannot_be_read_is_looked_at_again(tmp_path: Path) -> None:
    now = 0.0
    plans = FramePlans(CorrectionLoader(lambda: now))
    path = tmp_path / "mask.npy"
    files = format_files({ZYLA.stream: CorrectionFile(str(path))})
    settings = SETTINGS.replaced("mask", files)
    plan, (problem,) = plans.of(ZYLA, FRAME, "scan", settings)
    assert "no mask is used" in problem
    assert plan.levels.masked is None
    assert not plans.are_sound
    np.save(path, np.eye(6, 8, dtype=bool))
    assert plans.of(ZYLA, FRAME, "scan", settings)[0].levels.masked is None
    now = 60.0
    plan, problems = plans.of(ZYLA, FRAME, "scan", settings)
    assert problems == ()
    assert plan.levels.masked is not None and plan.levels.masked.sum() == 6
    assert plans.are_sound
    assert plans.of(ZYLA, FRAME, "scan", settings)[0] is plan
