"""`femtotango sardana-config`: a configuration of Sardana that knows the analysis."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from femtotango.sardana.names import (
    BURST_VARIABLE,
    DEVICE_VARIABLE,
    INGESTER_VARIABLE,
    RECORDER,
)
from pipeline.results import CAMERAS

HERE = Path(__file__).parent
MACRO_PATH = HERE / "macros"
POOL_PATH = HERE / "controllers"
RECORDER_PATH = HERE / "recorders"

_TEMPLATE = """\
# Load with: sardana-config load --write --environment THIS_FILE
# Start with: Sardana {instance}
pools:
  {instance}:
    tango_server: Sardana/{instance}
    tango_device: Pool/{instance}/1
    pool_path:
    - {pool_path}
    controllers:
      {prefix}motors:
        type: Motor
        python_module: DummyMotorController.py
        python_class: DummyMotorController
        elements:
          dummy_mot_01: {{axis: 1}}
          dummy_mot_02: {{axis: 2}}
      {prefix}timer:
        type: CTExpChannel
        python_module: DummyCounterTimerController.py
        python_class: DummyCounterTimerController
        elements:
          timer: {{axis: 1}}
{detector}\
      {prefix}channels:
        type: CTExpChannel
        python_module: femtomax_channels.py
        python_class: FemtomaxCounterTimerController
        properties:
          FemtomaxDevice: {device}
        elements:
{counters}\
      {prefix}curves:
        type: OneDExpChannel
        python_module: femtomax_channels.py
        python_class: FemtomaxOneDController
        properties:
          FemtomaxDevice: {device}
        elements:
{curves}\
    measurement_groups:
      {prefix}scan:
        channels:
        - timer
{channels}\
macro_servers:
  {instance}:
    tango_server: Sardana/{instance}
    tango_device: MacroServer/{instance}/1
    macro_path:
    - {macro_path}
    recorder_path:
    - {recorder_path}
    environment_db: {environment_db}
    environment:
      variables:
        ActiveMntGrp: {prefix}scan
        DataRecorder: {recorder}
        ScanDir: {scan_dir}
        ScanFile:
        - {scan_file}
        {device_variable}: {device}
        {ingester_variable}: {ingester}
        {burst_variable}: {burst}
    general_hooks:
      femto_prepare:
      - pre-scan
      - pre-acq
    doors:
      Door_{instance}:
        tango_device: Door/{instance}/1
"""

_DETECTOR = """\
      {prefix}simulator:
        type: CTExpChannel
        python_module: femtomax_simulator.py
        python_class: FemtomaxSimulatorController
        properties:
          Stream: {stream}
          Address: {address}
          FramesPerPoint: {burst}
        elements:
          {channel}_simulator: {{axis: 1}}
"""
"""The channel's name tells femto_prepare the camera."""

_COUNTERS = {
    **{f"roi{number}": f"Roi{number}Mean" for number in range(1, 9)},
    "frame_count": "FrameCount",
    "photon_count": "PhotonCount",
    "pileup_fraction": "PileupFraction",
}
_CURVES = {"energy_histogram": "EnergyHistogram", "azimuthal_curve": "AzimuthalIntensity"}
_PLOTTED = ("roi1", "roi2")


@dataclass(frozen=True)
class SardanaSetup:
    """What differs between installations."""

    device: str
    """Name of the Tango device."""
    ingester: str
    """Address of dranspose's Sardana ingester."""
    scan_dir: Path
    environment_db: Path
    instance: str = "femtomax"
    scan_file: str = "femtomax.h5"
    burst: int = 1
    """Frames per point."""
    simulate: tuple[str, str] | None = None
    """Stream and ZMQ address of a simulated camera in the measurement group."""


def sardana_yaml(setup: SardanaSetup) -> str:
    """Return the configuration as `sardana-config load` reads it."""
    detector, simulator = "", ()
    prefix = "femtomax_"
    if setup.simulate is not None:
        stream, address = setup.simulate
        channel = stream.rsplit("_", 1)[-1]
        simulator = (f"{channel}_simulator",)
        detector = _DETECTOR.format(
            prefix=prefix,
            stream=stream,
            channel=channel,
            address=json.dumps(address),
            burst=setup.burst,
        )
    channels = (*simulator, *_COUNTERS, *_CURVES)
    return _TEMPLATE.format(
        instance=setup.instance,
        prefix=prefix,
        detector=detector,
        counters=_elements(_COUNTERS),
        curves=_elements(_CURVES),
        channels="".join(map(_channel, channels)),
        pool_path=json.dumps(str(POOL_PATH)),
        macro_path=json.dumps(str(MACRO_PATH)),
        recorder_path=json.dumps(str(RECORDER_PATH)),
        device=json.dumps(setup.device),
        ingester=json.dumps(setup.ingester),
        burst=setup.burst,
        scan_dir=json.dumps(str(setup.scan_dir)),
        scan_file=json.dumps(setup.scan_file),
        environment_db=json.dumps(str(setup.environment_db)),
        device_variable=DEVICE_VARIABLE,
        ingester_variable=INGESTER_VARIABLE,
        burst_variable=BURST_VARIABLE,
        recorder=RECORDER,
    )


def _elements(sources: dict[str, str]) -> str:
    lines = (
        f"          {name}: {{axis: {axis}, attributes: {{Source: {source}}}}}\n"
        for axis, (name, source) in enumerate(sources.items(), start=1)
    )
    return "".join(lines)


def _channel(name: str) -> str:
    # showscan draws what is asked for; the first movable is the axis.
    plot = ": {plot_type: 1, plot_axes: ['<mov>']}" if name in _PLOTTED else ""
    return f"        - {name}{plot}\n"


def read_ready_file(path: Path) -> dict[str, Any]:
    """Read the addresses that `femtotango up --ready-file` wrote.

    Raises:
        click.ClickException: it is not there yet, or something else.
    """
    try:
        info = json.loads(path.read_text())
        return {name: info[name] for name in ("device", "sardana", "streams")}
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}; is femtotango up ready?") from error
    except (ValueError, KeyError, TypeError) as error:
        raise click.ClickException(f"{path} was not written by femtotango up: {error}") from error


@click.command("sardana-config")
@click.option(
    "--ready-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Take all addresses from what `femtotango up --ready-file` wrote.",
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
    help="Scan files and Sardana's environment are kept there.",
)
@click.option(
    "--burst", default=1, type=click.IntRange(min=1), help="Frames per point.", show_default=True
)
@click.option(
    "--simulate",
    metavar="STREAM",
    type=click.Choice(CAMERAS),
    help="Put a simulated camera into the measurement group; needs --ready-file.",
)
@click.option("--paths", is_flag=True, help="Only show the paths, for a Sardana that exists.")
@click.option(
    "--write",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the configuration there instead of showing it.",
)
def sardana_config(
    ready_file: Path | None,
    device: str,
    ingester: str,
    instance: str,
    directory: Path,
    burst: int,
    simulate: str | None,
    paths: bool,
    write: Path | None,
) -> None:
    """Show or write a configuration of Sardana (YAML, for sardana-config load)."""
    if paths:
        click.echo(f"PoolPath (property of the Pool): {POOL_PATH}")
        click.echo(f"MacroPath (property of the MacroServer): {MACRO_PATH}")
        click.echo(f"RecorderPath (property of the MacroServer): {RECORDER_PATH}")
        return
    camera: tuple[str, str] | None = None
    if ready_file is not None:
        info = read_ready_file(ready_file)
        device, ingester = info["device"], info["sardana"]
        camera = None if simulate is None else (simulate, info["streams"][simulate])
    elif simulate is not None:
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
            simulate=camera,
        )
    )
    if write is None:
        click.echo(text, nl=False)
        return
    if write.exists():
        raise click.ClickException(f"{write} exists: choose another file, nothing is overwritten.")
    write.write_text(text)
    click.echo(f"Written to {write}. Next: sardana-config load --write --environment {write}")
    click.echo(f"Then: Sardana {instance}, and: spock Door_{instance}")
