"""`femtotango register`: enter the device in a Tango database."""

from collections.abc import Sequence

from rich.console import Console

from femtotango.stack.errors import ConfigError
from tango_db.register import RegisterError
from tango_db.register import register as enter


def register(
    instance: str | None,
    device: str | None,
    alias: str | None,
    properties: Sequence[str],
    move: bool,
    console: Console,
) -> None:
    """Enter the device and print what changed.

    Args:
        instance: of the server. Here and below, None takes the value of `tango_db/femtomax.json`.
        device: Tango name.
        alias: short name.
        properties: ``NAME=VALUE`` each.
        move: take a device that another server has.
        console: where changes are printed.

    Raises:
        ConfigError: a property cannot be read, or the database does not take the device.
    """
    values = {}
    for text in properties:
        name, sign, value = text.partition("=")
        if not sign or not name.isidentifier():
            raise ConfigError(f"property {text!r}: expected NAME=VALUE.")
        values[name] = value
    try:
        changes = enter(instance, device, alias, values, move=move)
    except RegisterError as error:
        raise ConfigError(str(error)) from error
    for change in changes:
        console.print(f"entered: {change}", highlight=False, soft_wrap=True)
    if not changes:
        console.print("Nothing to do: the database has all of it.")
