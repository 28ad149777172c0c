"""Which Tango properties a stack has written itself: what it does not write any more goes.

What somebody else has entered, or changed since then, is none of ours and stays.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from femtotango.stack.errors import StackError
from pipeline.files.atomic import FileError, write_over

_NAME = "written-properties.json"


class WrittenProperties:
    """The record of one device, in the folder of the stack."""

    def __init__(self, folder: Path, device: str) -> None:
        """Read the record of the stacks before; a file that nobody can read counts as none.

        Args:
            folder: of the stack.
            device: Tango name.
        """
        self._file = folder / _NAME
        self._device = device
        self._before = self._read()

    def removed(self, properties: Mapping[str, str]) -> dict[str, str]:
        """Return what was written before and is not among the properties now.

        Args:
            properties: that the stack writes now.
        """
        return {n: value for n, value in self._before.items() if not properties.get(n)}

    def remember(self, properties: Mapping[str, str]) -> None:
        """Note what the stack has written.

        Raises:
            StackError: the record cannot be written.
        """
        self._before = {name: value for name, value in properties.items() if value}
        try:
            write_over(self._file, json.dumps({self._device: self._before}, indent=1))
        except FileError as error:
            raise StackError(str(error)) from error

    def _read(self) -> dict[str, str]:
        try:
            record = json.loads(self._file.read_text())[self._device]
            return {str(name): str(value) for name, value in record.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return {}
