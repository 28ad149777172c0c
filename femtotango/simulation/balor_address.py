"""The simulated Balor device on an address of its own, without database."""

from femtotango.stack.launch import LOOPBACK
from femtotango.stack.ports import Ports

SERVER = "BalorSimulator"
NAME = "femtomax/balor/1"


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
    from femtotango.simulation.balor_device import main

    ports = Ports()
    port = ports.fixed(port, "the simulated Balor") if port else ports.new()
    print(f"Property BalorDevice of the analysis: {balor_address(port)}", flush=True)
    main([SERVER, *balor_arguments(port)])
