"""The macro that saves and loads sets of regions, q values and geometry."""

# Sardana makes the members of Type at run time, and expects run() with other arguments.
# pyright: reportAttributeAccessIssue=false, reportIncompatibleMethodOverride=false

from pathlib import Path
from typing import Any, ClassVar

from sardana.macroserver.macro import Macro, Optional, Type

from femtotango.sardana.access import FemtomaxError, choose, connect, plain_errors, variable
from femtotango.setup_file import (
    ENDING,
    SetupError,
    load_setup,
    read_setup,
    save_setup,
    write_setup,
)

_FOLDER = "ScanDir"
"""Sardana's own variable: setups stand beside the scans."""


class femto_setup(Macro):
    """Save regions, q values and geometry under a name, load them, or list the names."""

    param_def: ClassVar[Any] = [
        ["action", Type.String, "list", "save, replace, load or list; default: list"],
        ["name", Type.String, Optional, f"Name of the setup, a file NAME{ENDING} in {_FOLDER}"],
    ]

    def run(self, action: str, name: str | None) -> None:
        """Save or load, then say what; or list the names."""
        action = choose(action, "save", "replace", "load", "list")
        folder = self._folder()
        if action == "list":
            self._list(folder)
            return
        if not name or Path(name).name != name or name.startswith("."):
            raise FemtomaxError(
                f"Which setup? femto_setup {action} <name>; a name has no slash, got {name!r}."
            )
        file = folder / (name.removesuffix(ENDING) + ENDING)
        try:
            with plain_errors():
                device = connect(self.getEnv)
                if action == "load":
                    setup = load_setup(file)
                    write_setup(device, setup)
                else:
                    setup = read_setup(device)
                    save_setup(file, setup, replace=action == "replace")
        except SetupError as error:
            # Not `from error`: a door sends its text along, and nothing arrives if Tango cannot.
            raise FemtomaxError(str(error)) from None
        done = "loaded from" if action == "load" else "saved in"
        self.output("%s %s: %s", done, file, setup.summary())

    def _folder(self) -> Path:
        folder = variable(self.getEnv, _FOLDER)
        if not isinstance(folder, str) or not folder:
            raise FemtomaxError(f"Setups stand beside the scans: senv {_FOLDER} <folder>")
        return Path(folder)

    def _list(self, folder: Path) -> None:
        names = []
        for file in sorted(folder.glob(f"*{ENDING}")):
            try:
                names.append((file.stem, load_setup(file).summary()))
            except SetupError:
                # Other programs may keep JSON files there.
                continue
        for name, summary in names:
            self.output("%-24s %s", name, summary)
        if not names:
            self.output("no setups in %s: femto_setup save <name>", folder)
