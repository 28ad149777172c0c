"""The commands and their options; the work is done in the module of the same name."""

import sys
from pathlib import Path

import click
from rich.console import Console

from femtotango.commands.raw_files import calibrate, process, verify
from femtotango.gui.command import femtomax
from femtotango.sardana.config import sardana_config
from femtotango.stack.errors import CommandError
from pipeline.simulation.pilatus import POLARIZATION


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="femtotango")
def femtotango() -> None:
    """Live analysis of FemtoMAX detectors behind a Tango device."""


@femtotango.command()
@click.option("--serve", is_flag=True, help="Keep running afterwards, with new scans.")
@click.option(
    "--output",
    default="out",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Folder for pictures.",
)
def demo(serve: bool, output: Path) -> None:
    """Run simulated scans, and check and plot what Tango shows."""
    from femtotango.commands.demo.command import demo as run

    run(serve, output, Console())


@femtotango.command()
@click.option(
    "--config", type=click.Path(path_type=Path), help="TOML file: ports, workers, streams."
)
@click.option(
    "--ready-file", type=click.Path(path_type=Path), help="Write the addresses here, as JSON."
)
@click.option(
    "--state", type=click.Path(path_type=Path), help="Folder for the database and logs; kept."
)
def up(config: Path | None, ready_file: Path | None, state: Path | None) -> None:
    """Run the whole stack on this machine until stopped.

    These are Redis, dranspose, a Tango database and the device.
    """
    from femtotango.commands.up import up as run
    from femtotango.stack.config import StackConfig, read_config

    run(read_config(config) if config else StackConfig(), ready_file, state, Console())


@femtotango.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-p",
    "--parameters",
    type=click.Path(path_type=Path),
    help='Settings: a JSON file such as {"accumulate": true, "distance": 0.131}, or a dump of '
    "dranspose.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="Folder in which the device saves images and geometry.",
)
@click.option(
    "--ready-file", type=click.Path(path_type=Path), help="Write the addresses here, as JSON."
)
@click.option("--keep-alive", is_flag=True, help="Keep serving the results until stopped.")
@click.option("--workers", default=2, show_default=True, help="Number of workers.")
def replay(
    files: tuple[Path, ...],
    parameters: Path | None,
    output: Path | None,
    ready_file: Path | None,
    keep_alive: bool,
    workers: int,
) -> None:
    """Run recorded streams, and show the results in a device.

    FILES are what ingesters of dranspose have recorded: cbors, cbors.gz or pkls.
    """
    from femtotango.commands.replay import Replay
    from femtotango.commands.replay import replay as run
    from femtotango.stack.config import StackConfig

    properties = {} if output is None else {"OutputFolder": str(output.absolute())}
    config = StackConfig(
        workers=workers, database=False, sardana=False, streams={}, properties=properties
    )
    run(Replay(files, parameters, config), ready_file, keep_alive, Console())


@femtotango.command()
@click.argument("streams", nargs=-1, required=True, metavar="STREAM…")
@click.option(
    "--url",
    "urls",
    multiple=True,
    help="tcp://HOST:PORT to bind, or URL of the Sardana ingester; once for each STREAM.",
)
@click.option(
    "--ready-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Of `femtotango up`: it has the URLs; with sardana among the STREAMs, the scan is "
    "prepared too.",
)
@click.option("--steps", default=1, show_default=True, help="Motor positions.")
@click.option("--burst", "--frames", default=100, show_default=True, help="Frames per position.")
@click.option("--rate", default=10.0, show_default=True, help="Shots/s; 0: as fast as possible.")
@click.option(
    "--filename",
    default="",
    help="Raw file named in the header, of several cameras with the STREAM behind its name; "
    "empty: live viewing.",
)
@click.option("--compression", default="none", show_default=True, help="none or bslz4.")
@click.option("--seed", default=0, show_default=True, help="The same seed gives the same frames.")
@click.option(
    "--fluctuation",
    default=0.0,
    show_default=True,
    help="Standard deviation of the shots' strengths; above 0 the records have a monitor, i0.",
)
@click.option(
    "--polarization",
    default=POLARIZATION,
    show_default=True,
    help="Of the beam that the Pilatus sees: 1 horizontal, 0 none, -1 vertical.",
)
def simulate(
    streams: tuple[str, ...],
    urls: tuple[str, ...],
    ready_file: Path | None,
    steps: int,
    burst: int,
    rate: float,
    filename: str,
    compression: str,
    seed: int,
    fluctuation: float,
    polarization: float,
) -> None:
    """Simulate detectors, Sardana, or the Balor's Tango device.

    STREAM is pilatus, andor3_zyla10, andor3_zyla12 or andor3_balor (sends frames), sardana (posts
    the records of a scan) or balor-device (runs a Tango device with SaveRaw). Several cameras, with
    or without sardana, see the same shots.

    A motor moves from 1 to 2: everything is brightest at 1.5, and the Zyla's Bragg spot moves with
    the motor.
    """
    from femtotango.commands.simulate import Simulation, prepare
    from femtotango.commands.simulate import simulate as run
    from pipeline.simulation.scan import BurstScan

    scan = BurstScan(steps=steps, burst=burst, fluctuation=fluctuation, shots_seed=seed)
    if ready_file is not None:
        urls = prepare(ready_file, streams, scan)
    simulation = Simulation(streams, urls, scan, rate, filename, compression, seed, polarization)
    run(simulation, Console())


@femtotango.command(params=list(femtomax.params), help=femtomax.help)
@click.pass_context
def viewer(context: click.Context, **_: object) -> None:
    """Open the live viewer, if its packages are installed."""
    from femtotango.commands.viewer import viewer_command

    context.forward(viewer_command())


@femtotango.command()
@click.argument("action", type=click.Choice(("save", "load")))
@click.argument("device")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Save over a file of that name.")
def setup(action: str, device: str, file: Path, replace: bool) -> None:
    """Save or load ROIs, q values and geometry of DEVICE as a JSON FILE.

    FILE may have some of "geometry", "q_values" and "rois"; the others stay as they are. When
    something in it cannot be used, nothing is changed.
    """
    from femtotango.commands.setup import setup as run

    run(action, device, file, replace, Console())


@femtotango.command()
@click.option("--instance", help="Server instance, as in: FemtomaxAnalysis INSTANCE.")
@click.option("--device", help="Tango name of the device, a/b/c.")
@click.option("--alias", help='Short name of the device; "" for none.')
@click.option(
    "--property",
    "properties",
    multiple=True,
    metavar="NAME=VALUE",
    help="Device property; repeatable.",
)
@click.option("--move", is_flag=True, help="Take the device even when another server has it.")
def register(
    instance: str | None,
    device: str | None,
    alias: str | None,
    properties: tuple[str, ...],
    move: bool,
) -> None:
    """Enter the device in the Tango database at TANGO_HOST.

    Of what is there already, only the values of --property are changed. When something cannot be
    entered, nothing is.
    """
    from femtotango.commands.register import register as run

    run(instance, device, alias, properties, move, Console())


for command in (process, verify, calibrate, sardana_config):
    femtotango.add_command(command)


def main() -> None:
    """Run a command; print one sentence when it cannot be done."""
    try:
        femtotango.main(prog_name="femtotango")
    except CommandError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
