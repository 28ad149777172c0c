"""`femtotango sardana-config`: print or write a configuration of Sardana."""

from pathlib import Path

import click

from femtotango.ready_file import ReadyFileError, read_ready_file
from femtotango.sardana.config_yaml import (
    MACRO_PATH,
    POOL_PATH,
    RECORDER_PATH,
    SardanaSetup,
    sardana_yaml,
)
from pipeline.files.atomic import FileError, write_new
from pipeline.model.cameras import CAMERAS


@click.command("sardana-config")
@click.option(
    "--ready-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Read all addresses from the file of `femtotango up --ready-file`.",
)
@click.option("--device", default="femtomax/analysis/1", help="Tango device.", show_default=True)
@click.option(
    "--ingester",
    default="http://localhost:5004",
    help="dranspose's Sardana ingester.",
    show_default=True,
)
@click.option("--instance", default="femtomax", help="Sardana server instance.", show_default=True)
@click.option(
    "--directory",
    default=Path(),
    show_default="here",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for scan files and Sardana's environment.",
)
@click.option(
    "--burst", default=1, type=click.IntRange(min=1), help="Frames per point.", show_default=True
)
@click.option(
    "--simulate",
    multiple=True,
    type=click.Choice(CAMERAS),
    help="Add a simulated camera with its own measurement group, and one of all when there are "
    "several; needs --ready-file.",
)
@click.option("--paths", is_flag=True, help="Only print the paths to add to an existing Sardana.")
@click.option(
    "--write",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the configuration to this file instead of printing it.",
)
def sardana_config(
    ready_file: Path | None,
    device: str,
    ingester: str,
    instance: str,
    directory: Path,
    burst: int,
    simulate: tuple[str, ...],
    paths: bool,
    write: Path | None,
) -> None:
    """Print or write a configuration of Sardana.

    It is YAML for sardana-config load.
    """
    if paths:
        click.echo(f"PoolPath (property of the Pool): {POOL_PATH}")
        click.echo(f"MacroPath (property of the MacroServer): {MACRO_PATH}")
        click.echo(f"RecorderPath (property of the MacroServer): {RECORDER_PATH}")
        return
    cameras: dict[str, str] = {}
    if ready_file is not None:
        try:
            ready = read_ready_file(ready_file)
            cameras = {stream: ready.address_of(stream) for stream in simulate}
        except ReadyFileError as error:
            raise click.ClickException(str(error)) from error
        device, ingester = ready.device, ready.sardana
    elif simulate:
        raise click.UsageError("--simulate needs the camera's address: give --ready-file too.")
    directory = directory.resolve()
    text = sardana_yaml(
        SardanaSetup(
            device=device,
            ingester=ingester,
            scan_dir=directory,
            environment_db=directory / f"{instance}-environment",
            instance=instance,
            burst=burst,
            simulate=cameras,
        )
    )
    if write is None:
        click.echo(text, nl=False)
        return
    try:
        write_new(write, lambda part: part.write_text(text))
    except FileError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Written to {write}. Next: sardana-config load --write --environment {write}")
    click.echo(f"Then: Sardana {instance}, and: spock Door_{instance}")
