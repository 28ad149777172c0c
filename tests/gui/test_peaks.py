"""Statistics of ROIs, minus and over, and the fit, as a user chooses and sees them."""

import json
import os

import numpy as np
import pytest

from pipeline.model.roi import Roi, parse_rois
from pipeline.simulation.scan import BurstScan

pytestmark = [pytest.mark.gui, pytest.mark.slow]

CAMERA = "andor3_zyla10"
STEPS, BURST, CENTRE = 11, 2, 1.45
SCAN = BurstScan(steps=STEPS, burst=BURST)
SPOT = {"x": 4, "y": 2, "width": 36, "height": 28, "camera": CAMERA}


def spots() -> list[np.ndarray]:
    """Return frames of a spot that moves and changes with the motor."""
    rng = np.random.default_rng(83)
    y, x = np.indices((32, 48))
    frames = []
    for position in SCAN.frame_positions:
        height = 3000 * np.exp(-(((position - CENTRE) / 0.2) ** 2) / 2)
        light = height * np.exp(-((x - 20 - 4 * position) ** 2 + (y - 15.4) ** 2) / 2 / 1.8**2)
        frames.append(np.rint(120 + light + rng.normal(0, 3, x.shape)).astype(np.uint16))
    return frames


def choose(viewer, box, text: str) -> None:
    """Go to a choice with the arrow keys."""
    from PyQt5 import QtTest
    from support.viewer import QtCore

    viewer.wait("a choice", lambda: box.isEnabled() and box.isVisible())
    box.setFocus()
    while (away := box.findText(text) - box.currentIndex()) != 0:
        key = QtCore.Qt.Key.Key_Down if away > 0 else QtCore.Qt.Key.Key_Up
        QtTest.QTest.keyClick(box, key)


def cell(viewer, row: int, header: str) -> str:
    """Return what a visible column of the ROI table says."""
    table = viewer.window.roi_table.table
    columns = [table.horizontalHeaderItem(n).text() for n in range(table.columnCount())]
    column = columns.index(header)
    assert not table.isColumnHidden(column)
    item = table.item(row, column)
    return item.text() if item is not None else ""


def test_a_peak_is_found_with_the_mouse(viewer, player) -> None:
    window, plot = viewer.window, viewer.window.curves.plot
    player.write(Rois=json.dumps({"spot": SPOT}), Accumulate=True)
    frames = spots()
    player.prepare(CAMERA, SCAN)
    player.play(CAMERA, frames, SCAN)
    player.wait_finished()
    viewer.wait_image()
    viewer.wait("the curve", lambda: len(plot.columns.get("spot", ())) == STEPS)

    choose(viewer, window.curves.statistic, "sum")
    processed = np.array([np.where(f > 112, f - 100.0, 0)[2:30, 4:40].sum() for f in frames])
    sums = processed.reshape(STEPS, BURST).mean(axis=1)
    viewer.wait("sums", lambda: np.allclose(plot.columns.get("spot", 0), sums))
    assert plot.getYAxis().getLabel() == "sum"

    choose(viewer, window.curves.fit.model, "gaussian")
    viewer.wait("the fit", lambda: "centre" in window.curves.fit_line.text())
    text = window.curves.fit_line.text()
    assert text.startswith("spot, gaussian: centre 1.4") and "FWHM" in text and "±" in text
    line = viewer.wait("its line", lambda: plot.getCurve("(fit)"))
    assert len(line.getXData()) > 10 * STEPS, "it is smooth between the points"
    assert line.getYData().max() == pytest.approx(
        player.read("FitHeight") + player.read("FitOffset"), rel=0.01
    )
    assert len(plot.columns["spot (fit)"]) == STEPS
    assert player.read("FitRoi") == "spot" and abs(player.read("FitCentre") - CENTRE) < 0.02
    if folder := os.environ.get("FEMTOTANGO_PICTURES"):
        viewer.events()
        window.grab().save(f"{folder}/peak.png")
    choose(viewer, window.curves.fit.model, "no fit")
    viewer.wait("no line", lambda: plot.getCurve("(fit)") is None)
    assert not window.curves.fit_line.isVisible()

    choose(viewer, window.roi_table.shown, "newest frame")
    newest = dict(zip(("x", "y"), player.read("RoiStatistics")[0][3:5], strict=True))
    viewer.wait("x", lambda: cell(viewer, 0, "Spot x") not in ("", "–"))
    assert float(cell(viewer, 0, "Spot x")) == pytest.approx(newest["x"], abs=0.006)
    assert float(cell(viewer, 0, "Sum")) == pytest.approx(processed[-1], rel=1e-3)

    choose(viewer, window.roi_table.shown, "shown image")
    viewer.wait("the sum", lambda: cell(viewer, 0, "Pixels") == str(36 * 28))
    assert float(cell(viewer, 0, "Sum")) == pytest.approx(processed.sum(), rel=1e-3)
    player.device.AddRoi(json.dumps({**SPOT, "name": "later", "width": 10}))
    later = np.sum([np.where(f > 112, f - 100.0, 0)[2:30, 4:14].sum() for f in frames])
    viewer.wait("a ROI that was drawn later", lambda: cell(viewer, 1, "Pixels") == "280")
    assert float(cell(viewer, 1, "Sum")) == pytest.approx(later, rel=1e-3)
    player.device.ResetAccumulation()
    viewer.wait("nothing", lambda: cell(viewer, 0, "Sum") == "–")
    player.write(RoiStatistic=0)


def test_a_roi_is_compared_in_its_dialog(viewer, player) -> None:
    from PyQt5 import QtTest
    from support.viewer import QtCore

    table = viewer.window.roi_table
    rois = {"spot": SPOT, "dark": {**SPOT, "width": 3}, "i0": {**SPOT, "width": 9}}
    player.write(Rois=json.dumps(rois))
    viewer.wait("the ROIs", lambda: table.table.rowCount() == 3)
    table.table.selectRow(0)
    viewer.click(table.compare_button)
    dialog = table.compare
    viewer.wait("the dialog", dialog.isVisible)
    assert [dialog.minus.itemText(i) for i in range(3)] == ["nothing", "dark", "i0"]
    choose(viewer, dialog.minus, "dark")
    edit = dialog.over.lineEdit()
    edit.selectAll()
    QtTest.QTest.keyClicks(edit, "i0")
    viewer.click(dialog.ok)
    expected = Roi(4, 2, 36, 28, CAMERA, "dark", "i0")
    viewer.wait("both", lambda: parse_rois(player.read("Rois"))["spot"] == expected)
    viewer.wait("its tool tip", lambda: "− dark / i0" in table.table.item(0, 0).toolTip())
    viewer.click(table.compare_button)
    viewer.wait("the dialog", dialog.isVisible)
    edit.selectAll()
    QtTest.QTest.keyClicks(edit, "nobody")
    viewer.click(dialog.ok)
    viewer.wait("why not", lambda: "no such ROI" in viewer.error_line)
    assert parse_rois(player.read("Rois"))["spot"] == expected
    viewer.press(viewer.window, QtCore.Qt.Key.Key_Escape)


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (12.20431, 0.00041, "12.20431 ± 0.00041"),
        (148.23, 3.1, "148.2 ± 3.1"),
        (123456.7, 1890.0, "123457 ± 1890"),
        (1.234567e9, 1890.0, "1.2346e+09 ± 1.9e+03"),
        (5.0, float("nan"), "5"),
        (5.0, 0.0, "5"),
    ],
)
def test_a_number_is_written_as_far_as_its_error_allows(value, error, text) -> None:
    from femtotango.gui.panels.curve_choices import with_error

    assert with_error(value, error) == text


def test_the_words_of_a_fit_without_numbers(screen) -> None:
    import support.viewer  # noqa: F401 - imports Taurus without its warnings

    from femtotango.gui.panels.curve_choices import fit_text

    answer = {"FitModel": 1, "FitRoi": "a", "FitStatus": "no fit yet: 1 point"}
    assert fit_text(answer) == "no fit yet: 1 point"
    # The status of a fit whose numbers are gone is of the scan before.
    assert fit_text(answer | {"FitStatus": "gaussian, 11 points, chi²/dof 1.48"}) == ""
