"""Keep Python's garbage collector out of threads that are not Qt's.

A collection runs in whatever thread asks for memory. In the Tango thread it may delete the last
reference to a widget, beside Qt's own thread that uses it: the process crashes.
"""

import gc

from taurus.external.qt import QtCore, QtWidgets

_INTERVAL_MS = 1000


class GarbageCollection(QtCore.QObject):
    """Collects in the thread in which it was made only, until it is closed."""

    _frozen = False

    def __init__(self) -> None:
        super().__init__(QtWidgets.QApplication.instance())
        gc.disable()
        if not GarbageCollection._frozen:
            # Modules live as long as the process: looking through them takes 0.2 s each time.
            gc.collect()
            gc.freeze()
            GarbageCollection._frozen = True
        self._timer = QtCore.QTimer(self)
        self._timer.timeout.connect(collect_if_due)
        self._timer.start(_INTERVAL_MS)

    def close(self) -> None:
        """Collect what there is, then let Python collect in any thread again."""
        self._timer.stop()
        self.deleteLater()
        gc.collect()
        gc.enable()


_collections: list[GarbageCollection] = []


def collect_in_this_thread() -> None:
    """Collect in this thread only from now on; it is Qt's."""
    if not _collections:
        _collections.append(GarbageCollection())


def collect_in_any_thread() -> None:
    """Let Python collect in any thread again; all windows are gone, and what called Tango too."""
    while _collections:
        _collections.pop().close()


def collect_if_due() -> None:
    """Collect the generation for which Python itself would collect now."""
    counts = zip(gc.get_count(), gc.get_threshold(), strict=True)
    due = [generation for generation, (count, limit) in enumerate(counts) if count > limit > 0]
    if due:
        gc.collect(max(due))
