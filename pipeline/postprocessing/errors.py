"""What ends a run, as one small tree; the text says what is wrong and the cure.

ProcessingError
├── BadSettings     settings or options that cannot be used
├── BadRawFile      an input that cannot be read
├── StillWritten    an input that another program still writes
├── BadOutput       a result that cannot be written
├── WorkerLost      a process that dies again and again
└── Stopped         somebody asked to stop
"""


class ProcessingError(Exception):
    """Base of all."""

    exit_code = 1
    """Of a command that ends with it; docs/process.md has the table."""


class BadSettings(ProcessingError):
    """Settings or options that cannot be used."""

    exit_code = 2


class BadRawFile(ProcessingError):
    """An input that cannot be read."""

    exit_code = 3


class StillWritten(ProcessingError):
    """An input that another program still writes."""

    exit_code = 4


class BadOutput(ProcessingError):
    """A result that cannot be written."""

    exit_code = 5


class WorkerLost(ProcessingError):
    """A process that dies again and again."""

    exit_code = 6


class Stopped(ProcessingError):
    """Somebody asked to stop."""

    exit_code = 130
