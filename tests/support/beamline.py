"""A beamline on this machine: stack, simulated cameras and Balor device, Sardana."""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import tango
from click.testing import CliRunner
from numpy.typing import NDArray
from support.sardana_server import Door, load_configuration, sardana_server
from support.stack import NO_KILL
from support.waiting import PATIENCE
from tango.test_context import DeviceTestContext

from femtotango.sardana.config import sardana_config
from femtotango.sardana.config_yaml import MACRO_PATH
from femtotango.simulation.balor_device import BalorSimulator
from femtotango.stack.running import running

BURST = 2
"""Frames per point."""
_CAMERAS = ("pilatus", "andor3_balor")


@dataclass
class Beamline:
    """A door, the device, and the folder of the scan files."""

    door: Door
    device: Any
    folder: Path
    info: dict[str, Any]
    """The stack's ready file."""
    servers: ExitStack
    """Ends Sardana."""

    def calm(self) -> None:
        """Let the next macro run: stop one that runs still, and start a Sardana that hangs anew."""
        if not self.door.calm():
            self.servers.close()
            server = sardana_server(self.info["tango_host"], self.folder / "sardana-again.log")
            self.door = self.servers.enter_context(server)

    def read(self, name: str) -> Any:
        """Return the value of an attribute."""
        return self.device.read_attribute(name).value

    def curve(self, roi: str) -> NDArray[np.float64]:
        """Return a ROI's means over the motor, as the device shows them."""
        return self.read("RoiMeanCurves")[list(self.read("RoiNames")).index(roi)]

    def recorded(self, channel: str) -> NDArray[np.float64]:
        """Return a column of the newest scan in the file that Sardana wrote."""
        with h5py.File(self.folder / "femtomax.h5") as file:
            newest = max(file, key=lambda name: int(name.removeprefix("entry")))
            return file[newest]["measurement"][channel][()]


@contextmanager
def running_beamline(folder: Path, cameras: Sequence[str] = _CAMERAS) -> Iterator[Beamline]:
    """Run all of it until the block is left; files are kept in the folder."""
    (folder / "raw").mkdir()
    config, ready, yaml = (folder / name for name in ("up.toml", "ready.json", "sardana.yaml"))
    with ExitStack() as stack:
        balor = DeviceTestContext(BalorSimulator, process=True, timeout=PATIENCE)
        stack.enter_context(balor)
        config.write_text(f'{NO_KILL}[properties]\nBalorDevice = "{balor.get_device_access()}"\n')
        up = ["up", "--state", str(folder / "state"), "--config", str(config)]
        info = stack.enter_context(running(up))
        ready.write_text(json.dumps(info))
        arguments = ["--ready-file", str(ready), "--write", str(yaml), "--burst", str(BURST)]
        arguments += ["--directory", str(folder)]
        for camera in cameras:
            arguments += ["--simulate", camera]
        CliRunner().invoke(sardana_config, arguments, catch_exceptions=False)
        # Beside our own macros, those that the tests need: a burst scan as the beamline has it.
        own = f"    - {json.dumps(str(MACRO_PATH))}\n"
        test_macros = Path(__file__).parent / "sardana_macros"
        text = yaml.read_text()
        assert own in text
        yaml.write_text(text.replace(own, f"{own}    - {test_macros}\n"))
        load_configuration(info["tango_host"], yaml)
        servers = stack.enter_context(ExitStack())
        door = servers.enter_context(sardana_server(info["tango_host"], folder / "sardana.log"))
        yield Beamline(door, tango.DeviceProxy(info["device"]), folder, info, servers)
