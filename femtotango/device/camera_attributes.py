"""The attributes of each camera, added when it is first seen."""

from collections.abc import Iterable
from typing import Any

import tango

from femtotango.component.image_results import image_results
from femtotango.component.result_row import Result
from femtotango.device.attributes import camera_attributes
from pipeline.model.cameras import ranked

_in_this_server: set[str] = set()
"""Cameras with attributes. Tango gives them to devices that are made later, too, without the
functions that read them."""


class CameraAttributes:
    """Adds attributes to a device; none is removed: who follows its events would never know."""

    def __init__(self, device: Any) -> None:
        self._device = device
        self._rows: dict[str, tuple[Result, ...]] = {}

    @property
    def cameras(self) -> tuple[str, ...]:
        """The cameras that have attributes."""
        return ranked(self._rows)

    @property
    def rows(self) -> Iterable[Result]:
        """What the attributes show, but for the full images."""
        return [row for rows in tuple(self._rows.values()) for row in rows]

    def add(self, cameras: Iterable[str]) -> bool:
        """Add the attributes of cameras that have none yet; call in a thread that Tango knows.

        Returns:
            True when there were some.
        """
        new = [camera for camera in cameras if camera not in self._rows]
        if not new:
            return False
        with tango.AutoTangoMonitor(self._device):
            for camera in new:
                if camera not in self._rows:
                    self._add(camera)
        return True

    def restore(self, cameras: Iterable[str]) -> None:
        """Add the attributes that this device had before, and those of others in this server."""
        self.add(ranked((*cameras, *_in_this_server)))

    def _add(self, camera: str) -> None:
        rows = image_results(camera)
        for name, attribute in camera_attributes(camera).items():
            self._device.add_attribute(attribute)
            share_freely(self._device, name)
        for row in rows:
            self._device.set_change_event(row.name, True, False)
            if len(row.dims) < 2:
                self._device.set_archive_event(row.name, True, False)
        _in_this_server.add(camera)
        self._rows[camera] = rows


def share_freely(device: Any, name: str) -> None:
    """Let clients read an attribute at the same time.

    Else Tango locks an attribute until its data are sent: a reader that stops in the middle would
    hold up everybody. PyTango sends copies, which need no lock.
    """
    attribute = device.get_device_attr().get_attr_by_name(name)
    attribute.set_attr_serial_model(tango.AttrSerialModel.ATTR_NO_SYNC)
