"""What is saved is what it says: all pixels, all points, with their names."""

import csv

import numpy as np
import pytest
from PyQt5 import QtTest
from support.viewer_scans import show_pilatus

pytestmark = [pytest.mark.gui, pytest.mark.slow]


def test_pixels_curves_and_pictures_are_saved(viewer, player, tmp_path) -> None:
    from support.viewer import QtCore, QtWidgets

    player.write(
        Rois='{"left, low": {"x": 100, "y": 100, "width": 30, "height": 40}, '
        '"b": {"x": 5, "y": 6, "width": 70, "height": 80}}'
    )
    show_pilatus(player, viewer)
    line, plot = viewer.window.status_line, viewer.window.curves.plot
    viewer.wait("the curves", lambda: len(plot.columns) == 5)
    viewer.wait("all points", lambda: len(plot.columns["b"]) == len(player.read("XAxis")))

    plot.save_action.trigger()
    dialog = viewer.wait("a dialog", lambda: plot.findChild(QtWidgets.QFileDialog))
    edit = viewer.file_line(dialog)
    edit.setText(str(tmp_path / "curves.csv"))
    QtTest.QTest.keyClick(edit, QtCore.Qt.Key.Key_Return)
    file = tmp_path / "curves.csv"
    viewer.wait("the file", file.exists)
    viewer.wait("that it is told", lambda: str(file) in line.error_line.full_text)
    with file.open() as stream:
        names, *rows = csv.reader(stream)
    assert names[1:] == ["left, low", "left, low error", "b", "b error"]
    values = np.array(rows, float)
    np.testing.assert_allclose(values[:, 0], player.read("XAxis"))
    np.testing.assert_allclose(values[:, 3], player.read("RoiMeanCurves")[1], rtol=1e-8)

    viewer.window.image.save(tmp_path / "image.npy")
    viewer.wait("the pixels", lambda: "image.npy" in line.error_line.full_text)
    full = player.read("AccumulatedImage")
    np.testing.assert_array_equal(np.load(tmp_path / "image.npy"), full)
    viewer.window.image.save(tmp_path / "image.tif")
    viewer.wait("the pixels", lambda: "image.tif" in line.error_line.full_text)
    import fabio

    with fabio.open(str(tmp_path / "image.tif")) as image:
        np.testing.assert_array_equal(image.data, full)
    viewer.window.image.save(tmp_path / "missing" / "image.tif")
    viewer.wait("why not", lambda: "Not saved" in viewer.error_line)

    viewer.plot.tools.copy_action.trigger()
    assert viewer.application.clipboard().image().width() > 300
    viewer.click_image(700, 100)
    viewer.wait("a block's value is marked", lambda: "mean of 3×3" in viewer.plot.readout.text())


@pytest.mark.parametrize(
    ("typed", "chosen", "name"),
    [
        ("curves.csv", "Picture (*.png)", "curves.csv"),
        ("curves", "Curves as columns of text (*.txt)", "curves.txt"),
        ("scan.12", "", "scan.12.csv"),
    ],
)
def test_an_ending_is_added_only_where_there_is_none(typed: str, chosen: str, name: str) -> None:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from femtotango.gui.plots.saving import CURVES, with_ending

    assert with_ending(typed, chosen, CURVES).name == name
