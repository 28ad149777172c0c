"""The commands; what they do stands in a module of the same name."""

import sys
from pathlib import Path

import click
from rich.console import Console

from femtotango.command_errors import CommandError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="femtotango")
def femtotango() -> None:
    """Live analysis of FemtoMAX detectors behind a Tango device."""


@femtotango.command()
@click.option("--config", type=click.Path(path_type=Path), help="TOML: ports, workers, streams.")
@click.option("--ready-file", type=click.Path(path_type=Path), help="Gets the addresses as JSON.")
@click.option(
    "--state", type=click.Path(path_type=Path), help="Folder that keeps database and logs."
)
def up(config: Path | None, ready_file: Path | None, state: Path | None) -> None:
    """Run Redis, dranspose, a Tango database and the device until stopped."""
    from femtotango.stack_config import StackConfig, read_config
    from femtotango.up import up as run

    run(read_config(config) if config else StackConfig(), ready_file, state, Console())


def main() -> None:
    """Run a command; what cannot be done is told in a sentence."""
    try:
        femtotango.main(prog_name="femtotango")
    except CommandError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
