"""`femtotango setup`: ROIs, q values and geometry of a device to a file, and back."""

from pathlib import Path

import tango
from rich.console import Console

from femtotango.setup_file import SetupError, load_setup, read_setup, save_setup, write_setup
from femtotango.stack.errors import CommandError
from femtotango.stack.tango_client import connect


def setup(action: str, device: str, file: Path, replace: bool, console: Console) -> None:
    """Save or load, and print what was done.

    Args:
        action: save or load.
        device: its Tango name.
        file: to write or to read.
        replace: save over a file of that name.
        console: where it is printed.

    Raises:
        CommandError: the file or the device cannot do it; nothing was changed then.
    """
    try:
        if action == "save":
            content = read_setup(connect(device))
            save_setup(file, content, replace=replace)
            line = f"saved in {file}: {content.summary()}"
        else:
            content = load_setup(file)
            write_setup(connect(device), content)
            line = f"loaded from {file}: {content.summary()}"
    except SetupError as error:
        raise CommandError(str(error)) from error
    except tango.DevFailed as error:
        raise CommandError(f"{device}: {str(error.args[0].desc).strip()}") from error
    console.print(line, highlight=False, soft_wrap=True, markup=False)
