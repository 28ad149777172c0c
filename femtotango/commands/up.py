"""`femtotango up`: the whole stack on one machine, until it is stopped."""

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from femtotango.stack.config import StackConfig
from femtotango.stack.errors import StackError
from femtotango.stack.files import remove_ready_file, write_ready_file
from femtotango.stack.supervisor import Interrupted, Stack


def stop_on_signals() -> threading.Event:
    """Return an event that Ctrl-C, SIGTERM and the end of the terminal set."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
            continue  # nohup wants us to go on when the terminal closes
        signal.signal(number, lambda *_: stop.set())
    return stop


def up(config: StackConfig, ready_file: Path | None, state: Path | None, console: Console) -> None:
    """Run a stack until SIGINT or SIGTERM.

    Args:
        config: what to run.
        ready_file: written with the addresses when everything is ready; removed at the end.
        state: folder for the Tango database and logs, which is kept; None: a temporary one.
        console: where progress is printed.

    Raises:
        StackError: it did not start; the logs are kept.
        PortError: a configured port is in use.
    """
    if ready_file is not None:
        remove_ready_file(ready_file)
    stop = stop_on_signals()
    say = _printer(console)
    stack = Stack(config, say, stop, state)
    started = time.monotonic()
    keep_logs = False
    try:
        with console.status("Starting Redis, dranspose and the Tango device …"):
            stack.start()
        _print_addresses(stack, say, time.monotonic() - started)
        if ready_file is not None:
            write_ready_file(ready_file, stack.services.ready_info())
        stack.watch()
    except Interrupted:
        pass
    except StackError:
        keep_logs = True
        raise
    finally:
        if ready_file is not None:
            ready_file.unlink(missing_ok=True)
        with console.status("Stopping all processes …"):
            stack.end()
        if not keep_logs:
            stack.remove_folder()


def _printer(console: Console) -> Callable[[str], None]:
    return lambda text: console.print(text, soft_wrap=True, highlight=False, markup=False)


def _print_addresses(stack: Stack, say: Callable[[str], None], seconds: float) -> None:
    info = stack.services.ready_info()
    say(f"Ready after {seconds:.1f} s; stop with Ctrl-C.")
    for name in ("device", "tango_host", "controller", "reducer", "sardana"):
        if info[name]:
            say(f"  {name:<14}{info[name]}")
    for stream, url in stack.services.ports.streams.items():
        say(f"  {stream:<14}a detector binds ZMQ PUSH at {url}")
    say(f"  {'logs':<14}{stack.folder / 'logs'}")
