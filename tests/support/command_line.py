"""Our command line in this process: for what needs no interpreter of its own."""

import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO

import pytest

from femtotango.cli import main


@dataclass(frozen=True)
class Done:
    """How a command ended, named as `subprocess` does."""

    returncode: int
    stdout: str
    stderr: str


def run_here(*arguments: object) -> Done:
    """Run `femtotango` with arguments; a start of the interpreter costs up to two seconds."""
    output, errors, code = StringIO(), StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(output), redirect_stderr(errors):
        patch.setattr(sys, "argv", ["femtotango", *map(str, arguments)])
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    return Done(code, output.getvalue(), errors.getvalue())
