"""A dark level is made of the frames that were asked for, and of no light."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.model.dark_request import DarkRequest
from pipeline.photons.calibration_file import read_calibration
from pipeline.photons.corrections import dark_digest
from pipeline.protocols.batch import DarkFrame
from pipeline.reducer.dark_taker import DarkTaker

SHAPE = (30, 40)
FIXED = 100 + np.random.default_rng(0).normal(0, 3, SHAPE)


def frames(number: int, photons: int = 0) -> list[np.ndarray]:
    random = np.random.default_rng(1)
    images = []
    for _ in range(number):
        image = FIXED + random.normal(0, 2, SHAPE)
        image[random.integers(0, SHAPE[0], photons), random.integers(0, SHAPE[1], photons)] += 500
        images.append(np.round(image).astype(np.uint16))
    return images


def give(taker: DarkTaker, images: list[np.ndarray], request: str = "a") -> None:
    for image in images:
        taker.add_frame(DarkFrame(request, image))
    taker.wait()


@pytest.mark.parametrize("number", [5, 60])
def test_photons_in_the_dark_are_refused(tmp_path: Path, number: int) -> None:
    taker = DarkTaker(lambda: str(tmp_path))
    taker.follow(DarkRequest("a", "andor3_zyla10", number))
    # Of 1200 pixels 12 have a photon in each frame.
    give(taker, frames(number, photons=12))
    status = taker.status
    assert (status.frames, status.wanted, status.camera) == (number, number, "andor3_zyla10")
    assert status.reason == ""
    dark = read_calibration(Path(status.file))
    assert status.sha256 == dark_digest(dark)
    error = dark.offset - FIXED
    assert np.abs(error).max() < 7.5 * 2 / np.sqrt(number)
    assert np.median(dark.noise) == pytest.approx(2, rel=0.25)


def test_frames_beyond_those_asked_for_and_of_other_requests_are_left_out(tmp_path: Path) -> None:
    taker = DarkTaker(lambda: str(tmp_path))
    give(taker, frames(4))
    assert taker.status.frames == 0
    taker.follow(DarkRequest("a", "andor3_zyla10", 3))
    give(taker, frames(2), request="before")
    give(taker, frames(2))
    assert (taker.status.frames, taker.status.file) == (2, "")
    give(taker, [*frames(1), np.full(SHAPE, 4000, np.uint16)])
    assert taker.status.frames == 3
    assert read_calibration(Path(taker.status.file)).offset.max() < 200


def test_a_new_request_begins_anew_and_none_keeps_what_came_of_it(tmp_path: Path) -> None:
    taker = DarkTaker(lambda: str(tmp_path))
    taker.follow(DarkRequest("a", "andor3_zyla10", 3))
    give(taker, frames(2))
    taker.follow(DarkRequest("b", "andor3_zyla10", 3))
    assert taker.status.frames == 0
    give(taker, frames(3), request="b")
    file = taker.status.file
    assert file
    taker.follow(None)
    assert taker.status.file == file


def test_what_keeps_it_from_being_taken_is_told(tmp_path: Path) -> None:
    for folder, images, why in (
        ("", frames(3), "OutputFolder"),
        (str(tmp_path / "none"), frames(3), "none"),
        (str(tmp_path), [*frames(2), frames(1)[0][:10]], "shape"),
    ):
        taker = DarkTaker(lambda folder=folder: folder)
        taker.follow(DarkRequest("a", "andor3_zyla10", 3))
        give(taker, images)
        assert taker.status.file == ""
        assert why in taker.status.reason
