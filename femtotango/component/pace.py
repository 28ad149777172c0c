"""How often controller and reducer are asked: seldom while nothing waits for their answers."""

import time

from femtotango.component.state import View

_IDLE = 0.4
"""How often the controller is asked while nothing waits for its answer [s]."""
_REST = 0.5
"""So long after its last answer the reducer is not asked again while nothing is going on [s]."""
_SETTLED = 3.0
"""Nothing is going on so long after the last change of what is shown [s]."""


def is_ending(view: View) -> bool:
    """Say whether the controller is about to tell that all events of the scan are done."""
    return bool(view.snapshot.scan.series_ended) and not view.scan.done


def controller_pause(view: View, delivered: bool, period: float) -> float:
    """Return how long the controller is not asked [s].

    Args:
        view: as it stands.
        delivered: all services have the settings.
        period: between two looks at the results [s].
    """
    return min(period, _IDLE) if is_ending(view) or not delivered else _IDLE


def reducer_may_rest(view: View, delivered: bool, news_at: float) -> bool:
    """Say whether the reducer need not be asked now.

    Args:
        view: as it stands.
        delivered: all services have the settings.
        news_at: monotonic time of the last change of what is shown [s].
    """
    idle = view.scan.done and delivered and view.results.error is None
    settled = time.monotonic() - news_at > _SETTLED
    fresh = 0.0 <= time.time() - view.results.polled < _REST
    return idle and settled and fresh
