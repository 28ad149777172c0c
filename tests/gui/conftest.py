"""Fixtures for windows: a virtual screen, and a viewer in front of a real device."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import numpy as np
import pytest
from support.device_server import serving
from support.display import start_virtual_screen

if TYPE_CHECKING:
    from support.viewer import Viewer

    from femtotango.simulation.beamline import ScanPlayer

Open = Callable[..., "Viewer"]


@pytest.fixture(scope="session")
def screen() -> None:
    """Give a virtual screen."""
    start_virtual_screen()


@pytest.fixture
def open_viewer(screen: None) -> Iterator[Open]:
    """Give a function that opens the viewer of a device."""
    from support.viewer import Viewer

    with ExitStack() as windows:

        def open_window(device: str, size: tuple[int, int] = (1280, 800)) -> Viewer:
            return windows.enter_context(Viewer(device, size))

        yield open_window


@pytest.fixture(scope="session")
def device_alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the device without a pipeline: settings can be read and written; give its address."""
    memory = tmp_path_factory.mktemp("device") / "memory.txt"
    with serving(memory, {}) as address:
        yield address


@pytest.fixture
def viewer(open_viewer: Open, player: "ScanPlayer") -> "Viewer":
    """Open the viewer of the session's stack, which has its defaults."""
    player.write(QValues=np.array([]), MaxFilter=False)
    return open_viewer(player.info["device"])
