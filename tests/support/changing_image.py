"""An image that changes all the time, without load on the pipeline."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from femtotango.stack.tango_client import connect


@contextmanager
def changing(device: str, rate: float) -> Iterator[None]:
    """Let another client change the whole image at a rate [Hz], without load on the pipeline."""
    stop = threading.Event()

    def change() -> None:
        proxy = connect(device)
        on = True
        while not stop.wait(1 / rate):
            proxy.MaxFilter = on
            on = not on

    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        connect(device).MaxFilter = False
