"""`femtotango viewer`: the live viewer, if its packages are installed."""

from importlib.util import find_spec

import click

from femtotango.stack.errors import MissingPart

_NEEDED = ("taurus", "silx", "PyQt5")


def viewer_command() -> click.Command:
    """Return the viewer's own command.

    Raises:
        MissingPart: a package of the extra ``gui`` is not installed.
    """
    missing = [package for package in _NEEDED if find_spec(package) is None]
    if missing:
        raise MissingPart(
            f"The viewer needs {', '.join(missing)}: pip install 'femtotango[gui]', "
            "or in this folder: pip install --editable '.[gui]'."
        )
    from femtotango.gui.command import femtomax

    return femtomax
