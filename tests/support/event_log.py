"""A Tango client as a process of its own, which writes down every change event.

``python -m support.event_log DEVICE FILE NAME …`` subscribes to the attributes and appends one
pickled record per event to FILE: name, value, quality, time stamp [s], or an error's reason.
"""

import pickle
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import tango


class Event(NamedTuple):
    """One event as it came."""

    name: str
    value: Any
    quality: str
    time: float
    error: str = ""


def events(path: Path) -> Iterator[Event]:
    """Read the events that are written so far."""
    with path.open("rb") as file:
        while True:
            try:
                yield Event(*pickle.load(file))
            except (EOFError, pickle.UnpicklingError):
                return


def main(device: str, path: str, *names: str) -> None:
    """Write events down until the process is ended."""
    proxy = tango.DeviceProxy(device)
    lock = threading.Lock()
    with open(path, "ab") as file:  # noqa: PTH123

        def write(name: str, event: Any) -> None:
            if event.err:
                record = (name, None, "", 0.0, event.errors[0].reason)
            else:
                reading = event.attr_value
                value = reading.value
                plain = str(value) if isinstance(value, tango.DevState) else value
                record = (name, plain, str(reading.quality), reading.time.totime(), "")
            with lock:
                pickle.dump(record, file)
                file.flush()

        kept = [
            proxy.subscribe_event(
                name, tango.EventType.CHANGE_EVENT, lambda event, name=name: write(name, event)
            )
            for name in names
        ]
        print(f"subscribed to {len(kept)}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
