"""What the panels tell one another: the same in our window and in a GUI of Taurus.

Taurus connects panels by names of shared data, see `taurus_panels`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Connection:
    """A signal of one panel that another one listens to."""

    sender: str
    signal: str
    receiver: str
    slot: str

    @property
    def name(self) -> str:
        """Name for Taurus' shared data."""
        return f"femtotango {self.sender} {self.signal}"


CONNECTIONS = (
    Connection("rois", "draw", "image", "draw_roi"),
    Connection("rois", "selected", "image", "select_roi"),
    Connection("image", "drawing", "rois", "show_drawing"),
    Connection("image", "roi_selected", "rois", "choose"),
    Connection("image", "rings_explained", "geometry", "explain"),
    Connection("geometry", "pick_beam", "image", "pick_beam"),
    Connection("geometry", "ring_style", "image", "style_rings"),
    Connection("tools", "normalization", "image", "normalize"),
    Connection("image", "normalization_changed", "tools", "show_normalization"),
)


def connect(panels: Mapping[str, Any]) -> None:
    """Connect the panels of one window, by the names that stand in `CONNECTIONS`."""
    for one in CONNECTIONS:
        getattr(panels[one.sender], one.signal).connect(getattr(panels[one.receiver], one.slot))
