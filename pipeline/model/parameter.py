"""One parameter: its type and limits, and how texts and bytes become its value."""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Value = bool | int | float | str


class ParameterError(ValueError):
    """A value that a parameter cannot take; the text says what is accepted."""


@dataclass(frozen=True)
class Parameter:
    """One row of the table."""

    name: str
    kind: type
    default: Value
    help: str
    unit: str = ""
    limits: tuple[float, float] | None = None
    attribute: str | None = None
    """Name of the Tango attribute; None when only the device itself writes the parameter."""
    normalise: Callable[[str], str] | None = None
    """For texts: returns the canonical text, raises ValueError."""
    choices: tuple[str, ...] = ()
    """For whole numbers: what each of them means; the attribute is an enumeration of these."""

    def check(self, value: Any) -> Value:
        """Return the value in the parameter's own type.

        Raises:
            ParameterError: wrong type, not finite, outside of the limits, or no valid JSON.
        """
        if self.kind is bool:
            if isinstance(value, bool) or value in (0, 1):
                return bool(value)
            raise ParameterError(f"{self.name} = {value!r}: expected true or false.")
        if self.kind is str:
            return self._check_text(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ParameterError(f"{self.name} = {value!r}: expected a number.")
        # In this form, because an int may be too large for a float.
        if not -sys.float_info.max <= value <= sys.float_info.max:
            raise ParameterError(f"{self.name} = {str(value)[:40]}: expected a finite number.")
        if self.kind is int and value != int(value):
            raise ParameterError(f"{self.name} = {value!r}: expected a whole number.")
        if self.choices and not 0 <= value < len(self.choices):
            names = ", ".join(f"{i} {choice}" for i, choice in enumerate(self.choices))
            raise ParameterError(f"{self.name} = {value!r}: expected one of {names}.")
        if self.limits is not None and not self.limits[0] <= value <= self.limits[1]:
            low, high = self.limits
            raise ParameterError(
                f"{self.name} = {value!r}: expected {low:g} … {high:g} {self.unit}".rstrip() + "."
            )
        return self.kind(value)

    def _check_text(self, value: Any) -> str:
        if not isinstance(value, str):
            raise ParameterError(f"{self.name} = {value!r}: expected text.")
        if self.normalise is None:
            return value
        try:
            return self.normalise(value)
        except ValueError as error:
            raise ParameterError(str(error)) from error

    def decode(self, data: bytes) -> Value:
        """Read a value from the bytes that dranspose carries.

        Raises:
            ParameterError: the bytes are no valid value.
        """
        try:
            text = data.decode("utf8")
        except UnicodeDecodeError as error:
            raise ParameterError(f"{self.name} = {data[:40]!r}: expected UTF-8 text.") from error
        if self.kind is str:
            return self.check(text)
        word = text.strip()
        if word in self.choices:
            return self.choices.index(word)
        if self.kind is bool:
            if word.lower() in ("true", "1", "yes", "on"):
                return True
            if word.lower() in ("false", "0", "no", "off", ""):
                return False
            raise ParameterError(f"{self.name} = {word!r}: expected True or False.")
        try:
            number = float(word) if self.kind is float or re.search("[.eE]", word) else int(word)
        except ValueError as error:
            raise ParameterError(f"{self.name} = {word!r}: expected a number.") from error
        return self.check(number)

    def encode(self, value: Value) -> bytes:
        """Write a value as dranspose's own parameter types do."""
        return str(value).encode("utf8")
