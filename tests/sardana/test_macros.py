"""Macros that show and change what is analysed, in a real Sardana server."""

import json
from pathlib import Path

import numpy as np
import pytest
from support.beamline import Beamline
from support.sardana_server import MacroError

from pipeline.model.roi_statistics import STATISTICS


@pytest.fixture(autouse=True)
def fresh(fresh_pilatus: None) -> None:
    """Begin with a new sum of the Pilatus and two regions."""


def test_roi_that_is_added_is_recorded(beamline: Beamline):
    door = beamline.door
    assert "Roi3" in door.run("femto_roi add third 100 100 50 50 pilatus")
    door.run("ascan dummy_mot_01 0 1 2 0.02")
    door.run("femto_wait")
    values = beamline.recorded("roi3")
    assert np.all(np.isfinite(values))
    np.testing.assert_allclose(values, beamline.curve("third"), rtol=1e-9)
    door.run("femto_roi remove third")
    assert list(beamline.read("RoiNames")) == ["wide", "narrow"]


def test_regions_are_compared_and_another_statistic_is_shown(beamline: Beamline):
    door = beamline.door
    place = {"x": 100, "y": 110, "width": 50, "height": 40, "camera": "pilatus"}

    def third() -> dict[str, object]:
        return json.loads(beamline.read("Rois"))["third"]

    shown = door.run("femto_roi add third 100 110 50 40 pilatus minus narrow over wide")
    assert "pilatus minus narrow over wide" in shown
    assert third() == {**place, "minus": "narrow", "over": "wide"}
    door.run("femto_roi add alone 100 110 50 40 pilatus")
    door.run("ascan dummy_mot_01 0 1 1 0.02")
    door.run("femto_wait")
    np.testing.assert_allclose(beamline.recorded("roi3"), beamline.curve("third"), rtol=1e-9)
    alone, narrow, wide = (beamline.curve(name) for name in ("alone", "narrow", "wide"))
    # A mean is divided by the sum over the other region's pixels that are not masked.
    pixels = (alone - narrow) / wide / beamline.curve("third")
    np.testing.assert_allclose(pixels, round(pixels[0]), rtol=1e-6)
    assert 50_000 < pixels[0] <= 300 * 200
    try:
        door.run("femto_roi statistic sum")
        assert beamline.read("RoiStatistic") == STATISTICS.index("sum")
        newest = beamline.read("RoiStatistics")[0, STATISTICS.index("sum")]
        assert f"sum {newest:<10g}" in door.run("femto_roi")
    finally:
        door.run("femto_roi statistic mean")
    door.run("femto_roi remove alone")
    door.run("femto_roi compare third over column:i0")
    assert third() == {**place, "over": "column:i0"}
    door.run("femto_roi compare third")
    assert third() == place
    door.run("femto_roi compare narrow over wide")
    door.run("femto_roi add narrow 1 2 3 4")
    assert "was x 350 y 450 width 20 height 20 over wide" in door.text("Warning")
    for line, why in (
        ("compare nowhere over wide", "no region 'nowhere'; there are wide, narrow, third"),
        ("compare wide over nowhere", "there is no such ROI"),
        ("compare wide 1 2 3 4", "a new place needs add"),
        ("remove wide now", "only add and compare take more"),
        ("statistic median", "use mean, sum, max"),
    ):
        with pytest.raises(MacroError, match=why):
            door.run(f"femto_roi {line}")


def test_thresholds_geometry_and_photon_roi(beamline: Beamline):
    door = beamline.door
    assert "13.5" in door.run("femto_geometry photon_energy 13.5 distance 0.131")
    assert beamline.read("PhotonEnergy") == 13.5
    door.run("femto_threshold cmos_threshold 20")
    assert beamline.read("CmosThreshold") == 20
    door.run("femto_threshold cmos_threshold 12")
    door.run("femto_photon_roi set 10 20 30 40")
    assert json.loads(beamline.read("PhotonRoi")) == {"x": 10, "y": 20, "width": 30, "height": 40}
    assert "off" in door.run("femto_photon_roi off")
    assert beamline.read("PhotonRoi") == ""
    assert "regions" in door.run("femto_status")


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("femto_roi add broken", "needs x, y, width and height"),
        ("femto_roi add bro/ken 1 2 3 4", "Femtomax_BadRoi"),
        ("femto_threshold wrong 5", "'wrong'"),
        ("femto_threshold background -5", "background = -5.0: expected 0"),
        ("femto_accum maybe", "use on, off, reset, show"),
        ("femto_continuous on eiger", "'eiger' is no stream"),
        ("femto_prepare", "Use it as a hook"),
    ],
)
def test_errors_are_sentences(beamline: Beamline, line: str, text: str):
    with pytest.raises(MacroError) as error:
        beamline.door.run(line)
    assert text in str(error.value)
    assert "Traceback" not in str(error.value)


def test_missing_device_is_explained(beamline: Beamline):
    door = beamline.door
    name = door.run("genv FemtomaxDevice").split("=")[-1].strip()
    door.run("usenv FemtomaxDevice")
    try:
        with pytest.raises(MacroError, match="senv FemtomaxDevice"):
            door.run("femto_status")
    finally:
        door.run(f"senv FemtomaxDevice {name}")
    door.run("femto_status")


def test_peak_is_fitted_and_gone_to(beamline: Beamline):
    door = beamline.door
    door.run("ascan dummy_mot_01 0 3 20 0.02")
    door.run("femto_wait")
    shown = door.run("femto_peak wide gaussian")
    assert "wide over dummy_mot_01: gaussian, 21 points" in shown
    assert "centre" in shown and "±" in shown
    centre = beamline.read("FitCentre")
    assert centre == pytest.approx(1.5, abs=0.05)  # as the simulator has it
    assert f"dummy_mot_01 is at {centre:.6g}" in door.run("femto_goto_peak yes")
    with pytest.raises(MacroError, match="no region 'nowhere'"):
        door.run("femto_peak nowhere")


def test_dark_and_mask_are_loaded_shown_and_cleared(beamline: Beamline, tmp_path: Path):
    door = beamline.door
    door.run("ascan dummy_mot_01 0 1 1 0.02")
    door.run("femto_wait")
    path = tmp_path / "bad.npy"
    np.save(path, np.eye(*beamline.read("AccumulatedImage").shape, dtype=np.uint8))
    assert f"pilatus: {path}" in door.run(f"femto_mask load {path}")
    assert "no camera has one" in door.run("femto_mask clear")
    with pytest.raises(MacroError, match="Which file"):
        door.run("femto_mask load")
    with pytest.raises(MacroError, match="counts photons"):
        door.run("femto_dark take 5")
    assert "no camera has one" in door.run("femto_dark show")
