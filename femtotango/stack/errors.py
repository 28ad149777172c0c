"""What keeps a command from doing its work, as one small tree; the text is shown to the user.

CommandError
├── ConfigError     a configuration or an option that cannot be used
├── MissingPart     a program, a package or a file that is not there
├── PortError       a port cannot be had
├── StackError      the stack cannot start
└── WrongResult     something ran, and what it gave is not right
"""


class CommandError(Exception):
    """Base of all; the text says what is wrong and the cure."""

    exit_code = 1
    """Of the command."""


class ConfigError(CommandError):
    """A configuration or an option that cannot be used."""


class MissingPart(CommandError):
    """A program, a package or a file that is not there."""


class PortError(CommandError):
    """A port cannot be had."""


class StackError(CommandError):
    """The stack cannot start."""


class WrongResult(CommandError):
    """Something ran, and what it gave is not right."""
