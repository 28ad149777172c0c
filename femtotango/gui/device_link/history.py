"""What this window changed, so that it can be undone; changes of other clients are left alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tango

from femtotango.gui.device_link.jobs import ChangedElsewhere
from femtotango.gui.device_link.tango_thread import read_together
from pipeline.model.roi import Roi, format_rois, parse_rois

_KEPT = 100
ROIS = "Rois"


@dataclass(frozen=True)
class ValueChange:
    """A write to one attribute."""

    attribute: str
    before: Any
    after: Any
    """None: not known, as a command computed it."""

    @property
    def attributes(self) -> tuple[str, ...]:
        """What undoing changes."""
        return (self.attribute,)

    def undo(self, proxy: tango.DeviceProxy) -> None:
        """Write the value of before, for a job.

        Raises:
            ChangedElsewhere: the attribute has another value by now.
        """
        self.check(proxy)
        proxy.write_attribute(self.attribute, self.before)

    def check(self, proxy: tango.DeviceProxy) -> None:
        """Check that nobody else has changed it, for a job.

        Raises:
            ChangedElsewhere: the attribute has another value by now.
        """
        now = read_together(proxy, self.attribute)[self.attribute]
        if self.after is not None and not np.array_equal(now, self.after):
            raise ChangedElsewhere(
                f"{self.attribute} was changed by somebody else since, to {now}: not undone."
            )


@dataclass(frozen=True)
class ValueChanges:
    """Writes to several attributes that are undone together."""

    changes: tuple[ValueChange, ...]

    @property
    def attributes(self) -> tuple[str, ...]:
        """What undoing changes."""
        return tuple(change.attribute for change in self.changes)

    def undo(self, proxy: tango.DeviceProxy) -> None:
        """Write all values of before, for a job.

        Raises:
            ChangedElsewhere: one of them has another value by now; none is written.
        """
        for change in self.changes:
            change.check(proxy)
        for change in self.changes:
            proxy.write_attribute(change.attribute, change.before)


@dataclass(frozen=True)
class RoiChange:
    """A change of some ROIs; the others may change meanwhile."""

    before: Mapping[str, Roi | None]
    """Of the ROIs that were changed; None: there was none of this name."""
    after: Mapping[str, Roi | None]
    order: tuple[str, ...]
    """Names of all ROIs before."""

    @property
    def attributes(self) -> tuple[str, ...]:
        """What undoing changes."""
        return (ROIS,)

    def undo(self, proxy: tango.DeviceProxy) -> None:
        """Bring these ROIs back, for a job.

        Raises:
            ChangedElsewhere: one of them is not as this window left it.
        """
        now = parse_rois(read_together(proxy, ROIS)[ROIS] or "")
        for name, roi in self.after.items():
            if now.get(name) != roi:
                raise ChangedElsewhere(
                    f"ROI {name!r} was changed by somebody else since: not undone."
                )
        for name, roi in self.before.items():
            now.pop(name, None)
            if roi is not None:
                now[name] = roi
        places = {name: place for place, name in enumerate(self.order)}
        names = sorted(now, key=lambda name: places.get(name, len(places)))
        proxy.write_attribute(ROIS, format_rois({name: now[name] for name in names}))


Change = ValueChange | ValueChanges | RoiChange


class History:
    """The newest changes of this window."""

    def __init__(self) -> None:
        self._changes: list[Change] = []

    def add(self, change: Change) -> None:
        """Add a change that is sent now."""
        self._changes.append(change)
        del self._changes[:-_KEPT]

    def take_newest(self) -> Change | None:
        """Return the newest change, which is forgotten; None when there is none."""
        return self._changes.pop() if self._changes else None
