"""The commands that open the viewer: `taurus femtomax DEVICE` and `femtotango viewer DEVICE`."""

import re
import sys
from pathlib import Path
from types import TracebackType

import click

_PICTURE_AFTER_MS = 2500
"""A screenshot waits so long for image, rings and curves after the device has answered."""
_PICTURE_LATEST_MS = 20000


def open_viewer(device: str, size: tuple[int, int] | None = None, screenshot: str = "") -> int:
    """Open the viewer and return when it was closed.

    Args:
        device: name of the device, with or without database.
        size: width and height of the window; None: as the screen allows.
        screenshot: file to save a picture in, after which the viewer ends; empty: none.

    Returns:
        The exit status.

    Raises:
        DeviceNameError: the text names no device.
    """
    from taurus.external.qt import QtCore
    from taurus.qt.qtgui.application import TaurusApplication

    from femtotango.gui.window import ViewerWindow

    application = TaurusApplication([sys.argv[0]], app_name="femtomax", cmd_line_parser=None)
    window = ViewerWindow(device)
    _show_uncaught(window)
    window.resize(*(size or (1280, 800)))
    window.show()
    if screenshot:

        def take() -> None:
            window.grab().save(screenshot)
            application.quit()

        def take_later(connected: bool, _reason: str) -> None:
            if connected:
                QtCore.QTimer.singleShot(_PICTURE_AFTER_MS, take)

        window.link.connection.connect(take_later)
        QtCore.QTimer.singleShot(_PICTURE_LATEST_MS, take)
    return application.exec_()


def _show_uncaught(window: "object") -> None:
    """Show exceptions that no slot caught as an error line; PyQt would end the program."""
    link = window.link  # type: ignore[attr-defined]

    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        sys.__excepthook__(kind, error, trace)
        link.failed.emit(f"{kind.__name__} in the viewer: {error}")

    sys.excepthook = show


def _size(_context: click.Context, _option: click.Parameter, text: str | None) -> tuple | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d{3,5})[x×](\d{3,5})", text)
    if match is None:
        raise click.BadParameter(f"{text!r}: expected WIDTHxHEIGHT, such as 1280x800.")
    return int(match[1]), int(match[2])


@click.command("femtomax")
@click.argument("device")
@click.option("--size", callback=_size, metavar="WxH", help="Size of the window.")
@click.option(
    "--screenshot",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Save a picture of the window when it shows something, and end.",
)
def femtomax(device: str, size: tuple[int, int] | None, screenshot: Path | None) -> None:
    """Open the live viewer of the FemtomaxAnalysis device DEVICE.

    DEVICE is a name with a Tango database, a/b/c, or without,
    tango://host:port/a/b/c#dbase=no.
    """
    from femtotango.gui.names import DeviceNameError

    try:
        sys.exit(open_viewer(device, size, str(screenshot or "")))
    except DeviceNameError as error:
        raise click.ClickException(str(error)) from error
