"""Fixtures for windows: a virtual screen, and a viewer in front of a real device."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from support.display import virtual_screen

if TYPE_CHECKING:
    from support.viewer import Viewer

    from femtotango.commands.scan_player import ScanPlayer

Open = Callable[..., "Viewer"]


@pytest.fixture(scope="session")
def screen() -> Iterator[str]:
    """Give a virtual screen."""
    with virtual_screen() as display:
        yield display


@pytest.fixture
def open_viewer(screen: str) -> Iterator[Open]:
    """Give a function that opens the viewer of a device."""
    from support.viewer import Viewer

    with ExitStack() as windows:

        def open_window(device: str, size: tuple[int, int] = (1280, 800)) -> Viewer:
            return windows.enter_context(Viewer(device, size))

        yield open_window


@pytest.fixture
def viewer(open_viewer: Open, player: "ScanPlayer") -> "Viewer":
    """Open the viewer of the session's stack, which has its defaults."""
    return open_viewer(player.info["device"])
