"""The commands that open the viewer: `taurus femtomax DEVICE` and `femtotango viewer DEVICE`."""

import os
import re
import sys
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import click

from femtotango.gui.device_link.names import DeviceNameError, parse_device_name

if TYPE_CHECKING:
    from femtotango.gui.window import ViewerWindow

_THEMES = {"desktop": None, "light": False, "dark": True}
_PICTURE_AFTER_MS = 2500
"""A screenshot waits this long for image, rings and curves after the device answered."""
_PICTURE_LATEST_MS = 20000


def open_viewer(
    device: str,
    size: tuple[int, int] | None = None,
    screenshot: Path | None = None,
    scale: float = 1.0,
    dark: bool | None = None,
) -> int:
    """Open the viewer and return when it is closed.

    Args:
        device: name of the device, with or without database.
        size: width and height of the window [screen pixel]; None: as it was left the last time.
        screenshot: file to save a picture in, after which the viewer ends.
        scale: of letters, buttons and lines; above 1 for a screen that is far away.
        dark: whether the window is dark; None: as the desktop is.

    Returns:
        The exit status.

    Raises:
        DeviceNameError: the text is no device name.
    """
    parse_device_name(device)
    if scale != 1.0:
        # Qt reads it once, when the application begins.
        os.environ["QT_SCALE_FACTOR"] = f"{scale:g}"
    import taurus

    # Taurus logs plugins that are not used here.
    taurus.setLogLevel(taurus.Error)
    from taurus.external.qt import QtWidgets

    from femtotango.gui.desktop import DesktopTheme
    from femtotango.gui.device_link.link import close_links
    from femtotango.gui.layout import settings_of_user
    from femtotango.gui.window import ViewerWindow

    application = QtWidgets.QApplication(["femtomax"])
    DesktopTheme(application, dark)
    try:
        remembers = size is None and screenshot is None
        window = ViewerWindow(device, settings_of_user() if remembers else None)
        _show_uncaught(window)
        _tell_waiting(window)
        if size is not None:
            window.resize(*size)
        window.closed.connect(application.quit)
        window.show()
        if screenshot is not None:
            _take_picture(window, screenshot)
        return application.exec_()
    finally:
        close_links()


def _take_picture(window: "ViewerWindow", file: Path) -> None:
    """Save a picture of the window once it shows the device, and end."""
    from taurus.external.qt import QtCore, QtWidgets

    def take() -> None:
        problem = ""
        if not window.grab().save(str(file)):
            problem = f"{file} cannot be written: look at its folder and its ending."
        elif not window.link.connected:
            problem = f"The picture shows no device: {window.link.reason or 'it did not answer'}."
        # `open_viewer` returns the status with which the window is closed.
        window.closed.disconnect()
        window.close()
        if problem:
            print(f"Error: {problem}", file=sys.stderr)
        QtWidgets.QApplication.exit(1 if problem else 0)

    def take_later(connected: bool, _reason: str) -> None:
        if connected:
            QtCore.QTimer.singleShot(_PICTURE_AFTER_MS, take)

    window.link.connection.connect(take_later)
    take_later(window.link.connected, window.link.reason)
    QtCore.QTimer.singleShot(_PICTURE_LATEST_MS, take)


def _tell_waiting(window: "ViewerWindow") -> None:
    """Say in the terminal why the window waits, such as a name that the database does not know."""
    told: set[str] = set()

    def tell(connected: bool, reason: str) -> None:
        if not connected and reason and reason not in told:
            told.add(reason)
            print(f"Waiting for {window.link.name.tango}: {reason}", file=sys.stderr, flush=True)

    window.link.connection.connect(tell)
    tell(window.link.connected, window.link.reason)


def _show_uncaught(window: "ViewerWindow") -> None:
    """Show uncaught exceptions of slots as an error line; PyQt would end the program."""

    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        sys.__excepthook__(kind, error, trace)
        window.link.failed.emit(f"{kind.__name__} in the viewer: {error}")

    sys.excepthook = show


def parse_size(text: str) -> tuple[int, int]:
    """Read ``WIDTHxHEIGHT``.

    Raises:
        click.BadParameter: the text is something else.
    """
    match = re.fullmatch(r"(\d{3,5})[x×](\d{3,5})", text)
    if match is None:
        raise click.BadParameter(f"size {text!r}: expected WIDTHxHEIGHT, such as 1280x800.")
    return int(match[1]), int(match[2])


@click.command("femtomax")
@click.argument("device")
@click.option("--size", metavar="WxH", help="Size of the window.")
@click.option(
    "--screenshot",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Save a picture of the window once it shows the device, and end.",
)
@click.option(
    "--scale",
    type=click.FloatRange(0.5, 4.0),
    default=1.0,
    show_default=True,
    help="Of letters and buttons; above 1 for a screen that is far away.",
)
@click.option(
    "--theme",
    type=click.Choice(list(_THEMES)),
    default=next(iter(_THEMES)),
    show_default=True,
    help="Colours of the window.",
)
def femtomax(
    device: str, size: str | None, screenshot: Path | None, scale: float, theme: str
) -> None:
    """Open the live viewer of the FemtomaxAnalysis device DEVICE.

    DEVICE is a name with a Tango database, a/b/c, or without,
    tango://host:port/a/b/c#dbase=no.
    """
    if screenshot is not None and not screenshot.absolute().parent.is_dir():
        raise click.ClickException(
            f"{screenshot} cannot be written: there is no folder {screenshot.absolute().parent}."
        )
    try:
        sys.exit(
            open_viewer(
                device, parse_size(size) if size else None, screenshot, scale, _THEMES[theme]
            )
        )
    except DeviceNameError as error:
        raise click.ClickException(str(error)) from error
