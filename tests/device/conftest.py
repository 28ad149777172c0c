"""Fixtures for the device without a pipeline, and with one whose controller can be asked."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import tango
from support.balor import balor_server
from support.client_side import closed_port
from support.device_server import device_server, serving

from femtotango.dranspose_client.addresses import Addresses
from femtotango.dranspose_client.controller import Controller
from femtotango.dranspose_client.reducer import Reducer
from femtotango.simulation.beamline import ScanPlayer
from femtotango.stack.running import running

Properties = dict[str, Any]


@pytest.fixture(scope="session")
def nowhere() -> Iterator[Properties]:
    """Give properties that point to a pipeline that is not there."""
    with closed_port() as address:
        yield {"ControllerUrl": address, "ReducerUrl": f"{address}/reducer"}


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Start the device with properties; it remembers settings from one start to the next."""
    with ExitStack() as stack:

        def start(properties: Properties, **settings: str) -> Any:
            server = device_server(tmp_path / "memory.txt", properties, settings)
            return stack.enter_context(server)

        yield start


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Run a pipeline without device; shared, gives what the ready file says."""
    folder = tmp_path_factory.mktemp("pipeline")
    config = folder / "up.toml"
    config.write_text('device = ""\ndatabase = false\n[streams]\npilatus = ""\nandor3_balor = ""\n')
    with running(["up", "--state", str(folder), "--config", str(config)]) as info:
        yield info


@pytest.fixture
def controller(pipeline: dict[str, Any]) -> Iterator[Controller]:
    """Ask the pipeline's controller."""
    controller = Controller(pipeline["controller"])
    yield controller
    controller.close()


@pytest.fixture
def reducer(pipeline: dict[str, Any]) -> Iterator[Reducer]:
    """Ask the pipeline's reducer."""
    reducer = Reducer(pipeline["reducer"])
    yield reducer
    reducer.close()


@pytest.fixture
def balor(tmp_path: Path) -> Iterator[tuple[Any, str]]:
    """Run a simulated Balor; gives a proxy and its address."""
    with balor_server(tmp_path) as address:
        yield tango.DeviceProxy(address), address


@pytest.fixture
def play(
    tmp_path: Path, pipeline: dict[str, Any], balor: tuple[Any, str]
) -> Iterator[Callable[[], ScanPlayer]]:
    """Give a function that starts a device beside the Balor."""
    with ExitStack() as stack:

        def start() -> ScanPlayer:
            addresses = Addresses.from_ready_info(pipeline)
            properties = addresses.properties | {"BalorDevice": balor[1]}
            address = stack.enter_context(serving(tmp_path / "memory.txt", properties))
            player = stack.enter_context(ScanPlayer({**pipeline, "device": address}))
            player.device.set_timeout_millis(20_000)
            # Whatever a test leaves running, the next one begins without it.
            stack.callback(player.device.StopScan)
            return player

        yield start


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """Give a folder for raw files."""
    (tmp_path / "raw").mkdir()
    return tmp_path / "raw"
