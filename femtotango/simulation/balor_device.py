"""A Tango device that stands in for the Balor's own: it has SaveRaw and nothing else."""

from collections.abc import Sequence

import tango
from tango.server import Device, attribute, run

from femtotango.stack.launch import LOOPBACK
from femtotango.stack.ports import Ports

SERVER = "BalorSimulator"

NAME = "femtomax/balor/1"


class BalorSimulator(Device):
    """Simulated Balor."""

    def init_device(self) -> None:
        """Start with raw data saved, as the camera does."""
        super().init_device()
        self._save_raw = True
        self.set_change_event("State", True, False)
        self.set_state(tango.DevState.ON)
        self.set_status("Simulated Balor: SaveRaw can be read and written.")
        self.get_device_attr().get_w_attr_by_name("SaveRaw").set_write_value(self._save_raw)

    SaveRaw = attribute(
        dtype=bool,
        access=tango.AttrWriteType.READ_WRITE,
        fget="read_save_raw",
        fset="write_save_raw",
        label="Save raw",
        doc="True: raw images are written. Off: only what the analysis writes remains.",
        change_event_implemented=True,
        change_event_detect=False,
    )

    def read_save_raw(self) -> bool:
        """Return whether raw images are written."""
        return self._save_raw

    def write_save_raw(self, value: bool) -> None:
        """Switch the writing of raw images."""
        self._save_raw = bool(value)
        self.push_change_event("SaveRaw", self._save_raw)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the server until it is stopped.

    Args:
        arguments: server name, instance and Tango options, as on the command line; None: those of
            this process.
    """
    run((BalorSimulator,), args=None if arguments is None else list(arguments))


if __name__ == "__main__":
    main()


def balor_address(port: int, host: str = LOOPBACK) -> str:
    """Return the full Tango address of the simulated Balor."""
    return f"tango://{host}:{port}/{NAME}#dbase=no"


def balor_arguments(port: int, host: str = LOOPBACK) -> tuple[str, ...]:
    """Return the server's arguments, its own name left out."""
    return ("femtotango", "-nodb", "-dlist", NAME, "-ORBendPoint", f"giop:tcp:{host}:{port}")


def run_balor_device(port: int) -> None:
    """Run the device until it is stopped.

    Args:
        port: where it listens; 0: any.

    Raises:
        PortError: the port is in use.
    """
    with Ports() as ports:
        port = ports.fixed(port, "the simulated Balor") if port else ports.new()
        print(f"Property BalorDevice of the analysis: {balor_address(port)}", flush=True)
        main([SERVER, *balor_arguments(port)])
