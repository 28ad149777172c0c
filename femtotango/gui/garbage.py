"""Keep Python's garbage collector out of threads that are not Qt's.

A collection runs in whatever thread asks for memory. In the Tango thread it may delete the last
reference to a widget, beside Qt's own thread that uses it: the process crashes.
"""

import gc

from taurus.external.qt import QtCore

_INTERVAL_MS = 1000


class GarbageCollection(QtCore.QObject):
    """Collects in Qt's thread only, until it is closed.

    Args:
        parent: the application; its thread collects.
    """

    def __init__(self, parent: QtCore.QObject) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QtCore.QTimer(self)
        self._timer.timeout.connect(collect_if_due)
        self._timer.start(_INTERVAL_MS)

    def close(self) -> None:
        """Let Python collect in any thread again."""
        self._timer.stop()
        gc.enable()


def collect_if_due() -> None:
    """Collect the generation for which Python itself would collect now."""
    counts = zip(gc.get_count(), gc.get_threshold(), strict=True)
    due = [generation for generation, (count, limit) in enumerate(counts) if count > limit > 0]
    if due:
        gc.collect(max(due))
