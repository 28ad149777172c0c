"""A configuration of Sardana with the analysis in it, as `sardana-config load` reads it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from femtotango.sardana.names import BURST_VARIABLE, DEVICE_VARIABLE, INGESTER_VARIABLE, RECORDER

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
{cameras}\
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
{groups}\
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
        ActiveMntGrp: {group}
        DataRecorder: {recorder}
        JsonRecorder: true
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

_CAMERA = """\
      {prefix}{camera}_ctrl:
        type: CTExpChannel
        python_module: femtomax_simulator.py
        python_class: FemtomaxSimulatorController
        properties:
          Stream: {stream}
          Address: {address}
          FramesPerPoint: {burst}
          RawFolder: {raw_folder}
        elements:
          {channel}: {{axis: 1}}
"""
"""femto_prepare recognises the camera by the name of the channel."""

_GROUP = """\
      {name}:
        channels:
        - timer
{channels}\
"""

_COUNTERS = {
    **{f"roi{number}": f"Roi{number}Mean" for number in range(1, 9)},
    "frame_count": "FrameCount",
    "photon_count": "PhotonCount",
    "pileup_fraction": "PileupFraction",
    **{
        f"roi{number}_{statistic.lower()}": f"Roi{number}{statistic}"
        for number in range(1, 9)
        for statistic in ("Sum", "X", "Y")
    },
    "fit_centre": "FitCentre",
    "fit_fwhm": "FitFwhm",
    "fit_height": "FitHeight",
}
_MEASURED = (
    *(name for name in _COUNTERS if "_" not in name),
    *(f"roi{number}_{statistic}" for number in (1, 2) for statistic in ("sum", "x", "y")),
    *("frame_count", "photon_count", "pileup_fraction"),
)
"""Counters in a new measurement group; the others are there to be added."""
_CURVES = {"energy_histogram": "EnergyHistogram", "azimuthal_curve": "AzimuthalIntensity"}
_PREFIX = "femtomax_"
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
    simulate: Mapping[str, str] = field(default_factory=dict)
    """Simulated cameras, ZMQ address by stream; each gets its own measurement group, and all of
    several one together."""


def sardana_yaml(setup: SardanaSetup) -> str:
    """Return the configuration as `sardana-config load` reads it."""
    analysis = (*_MEASURED, *_CURVES)
    cameras, groups = "", {}
    for stream, address in setup.simulate.items():
        camera = stream.rsplit("_", 1)[-1]
        channel = f"{camera}_simulator"
        groups[_PREFIX + camera] = (channel, *analysis)
        cameras += _CAMERA.format(
            prefix=_PREFIX,
            camera=camera,
            stream=stream,
            channel=channel,
            address=json.dumps(address),
            burst=setup.burst,
            raw_folder=json.dumps(str(setup.scan_dir / "raw")),
        )
    if len(groups) > 1:
        channels = tuple(channel for channel, *_ in groups.values())
        groups[f"{_PREFIX}all"] = (*channels, *analysis)
    groups = groups or {f"{_PREFIX}scan": analysis}
    return _TEMPLATE.format(
        instance=setup.instance,
        prefix=_PREFIX,
        cameras=cameras,
        counters=_elements(_COUNTERS),
        curves=_elements(_CURVES),
        groups="".join(
            _GROUP.format(name=name, channels="".join(map(_channel, channels)))
            for name, channels in groups.items()
        ),
        group=next(iter(groups)),
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
    # showscan draws only what the measurement group asks for, over the first movable.
    plot = ": {plot_type: 1, plot_axes: ['<mov>']}" if name in _PLOTTED else ""
    return f"        - {name}{plot}\n"
