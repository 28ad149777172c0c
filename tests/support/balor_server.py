"""The part of the Balor's own Tango device that the analysis uses."""

from tango.server import Device, attribute


class Balor(Device):
    """Has a SaveRaw attribute."""

    def init_device(self) -> None:
        super().init_device()
        self._save_raw = True

    @attribute(dtype=bool)
    def SaveRaw(self) -> bool:
        return self._save_raw

    @SaveRaw.write
    def SaveRaw(self, value: bool) -> None:
        self._save_raw = value
