"""Files of what a plot shows, written on the computer of the viewer."""

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from taurus.external.qt import QtCore, QtWidgets

CURVES = {".csv": "Curves as CSV", ".txt": "Curves as columns of text", ".png": "Picture"}
PIXELS = {".tif": "All pixels as TIFF", ".npy": "All pixels as NumPy array", ".png": "Picture"}
MASKS = {".npy": "Mask as NumPy array", ".edf": "Mask as EDF"}
PICTURES = {".png": "Picture"}
SETUPS = {".json": "Setup: ROIs, q values, geometry"}
"""What a file with this ending holds."""

Columns = Mapping[str, NDArray[np.float64]]


def write_columns(file: Path, columns: Columns) -> None:
    """Write curves, with their names in the first line.

    Args:
        file: ending in ``.csv`` (commas) or ``.txt`` (tabs).
        columns: by name, all as long as the first, which is the axis.

    Raises:
        OSError: the file cannot be written.
    """
    comma = file.suffix.lower() == ".csv"
    with file.open("w", newline="", encoding="utf8") as stream:
        writer = csv.writer(stream, delimiter="," if comma else "\t")
        writer.writerow(columns)
        for row in zip(*columns.values(), strict=True):
            writer.writerow([f"{value:.10g}" for value in row])


def write_pixels(file: Path, pixels: NDArray[np.float32 | np.uint8]) -> None:
    """Write pixels, or a mask, as they are.

    Args:
        file: ending in ``.npy``, ``.edf`` or ``.tif``.
        pixels: ``(ny, nx)``, float32 with NaN where masked; uint8 of a mask, not 0 where a pixel is
            bad.

    Raises:
        OSError: the file cannot be written.
    """
    if file.suffix.lower() == ".npy":
        np.save(file, pixels)
        return
    from fabio.edfimage import EdfImage
    from fabio.tifimage import TifImage

    image = EdfImage if file.suffix.lower() == ".edf" else TifImage
    image(data=pixels).write(str(file))


def write_picture(file: Path, widget: QtWidgets.QWidget) -> None:
    """Write a picture of a widget as it is seen.

    Raises:
        OSError: the file cannot be written.
    """
    if not widget.grab().save(str(file)):
        raise OSError(f"{file} cannot be written: look at its folder and the ending.")


def with_ending(file: str, chosen_filter: str, kinds: Mapping[str, str]) -> Path:
    """Return the file's path; a name without a known ending gets that of the chosen filter."""
    path = Path(file)
    if path.suffix.lower() in kinds:
        return path
    ending = next((e for e in kinds if f"*{e})" in chosen_filter), next(iter(kinds)))
    return path.with_name(path.name + ending)


def ask_for_file(
    parent: QtWidgets.QWidget, title: str, kinds: Mapping[str, str], *, to_read: bool = False
) -> QtWidgets.QFileDialog:
    """Open a dialog for a file; its signal ``fileSelected`` tells which.

    Args:
        parent: the plot.
        title: of the dialog.
        kinds: what a file holds, by its ending.
        to_read: a file that is there is wanted, not one to write.
    """
    dialog = QtWidgets.QFileDialog(parent, title)
    modes = QtWidgets.QFileDialog.AcceptMode
    dialog.setAcceptMode(modes.AcceptOpen if to_read else modes.AcceptSave)
    if to_read:
        dialog.setFileMode(QtWidgets.QFileDialog.FileMode.ExistingFile)
    dialog.setOption(QtWidgets.QFileDialog.Option.DontUseNativeDialog)
    dialog.setNameFilters([f"{what} (*{ending})" for ending, what in kinds.items()])
    dialog.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()
    return dialog
