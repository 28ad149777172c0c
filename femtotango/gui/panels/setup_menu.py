"""Save and load ROIs, q values and geometry in files on the computer of the viewer."""

from pathlib import Path
from typing import Any

from taurus.external.qt import QtWidgets

from femtotango.gui.device_link.history import ValueChange, ValueChanges
from femtotango.gui.device_link.link import DeviceLink
from femtotango.gui.plots.saving import SETUPS, ask_for_file, with_ending
from femtotango.setup_file import (
    Setup,
    SetupError,
    load_setup,
    read_setup,
    save_setup,
    write_setup,
)


def ask_to_save(parent: QtWidgets.QWidget, link: DeviceLink) -> None:
    """Ask for a file, and save the setup of the device in it."""
    dialog = ask_for_file(parent, "Save setup", SETUPS)
    dialog.fileSelected.connect(
        lambda file: save(link, with_ending(file, dialog.selectedNameFilter(), SETUPS))
    )


def ask_to_load(parent: QtWidgets.QWidget, link: DeviceLink) -> None:
    """Ask for a file, and give the device the setup in it."""
    dialog = ask_for_file(parent, "Load setup", SETUPS, to_read=True)
    dialog.fileSelected.connect(lambda file: load(link, Path(file)))


def save(link: DeviceLink, file: Path) -> None:
    """Save the setup of the device."""

    def write(setup: Setup) -> None:
        try:
            save_setup(file, setup, replace=True)
        except SetupError as error:
            link.failed.emit(str(error))
        else:
            link.told.emit(f"Saved {file}: {setup.summary()}.")

    link.call(read_setup, key="save setup", done=write)


def load(link: DeviceLink, file: Path) -> None:
    """Give the device the setup of a file; one Ctrl+Z undoes all of it."""
    try:
        setup = load_setup(file)
    except SetupError as error:
        link.failed.emit(str(error))
        return
    after = setup.attributes()

    def tell(before: dict[str, Any]) -> None:
        changes = (ValueChange(name, before[name], value) for name, value in after.items())
        link.history.add(ValueChanges(tuple(changes)))
        link.told.emit(f"Loaded {file}: {setup.summary()}.")

    link.call(
        lambda proxy: write_setup(proxy, setup), key="load setup", done=tell, rereads=tuple(after)
    )
