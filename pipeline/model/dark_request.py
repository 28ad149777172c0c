"""Which frames are to become the dark level of a camera."""

from dataclasses import dataclass
from functools import lru_cache

from pipeline.model.cameras import CAMERAS

FEWEST_DARKS = 3
"""Of fewer frames no median tells a photon from the dark."""
MOST_DARKS = 10_000


@dataclass(frozen=True)
class DarkRequest:
    """The next frames of a camera, which has seen no light since."""

    identity: str
    """Tells this request from all others."""
    stream: str
    frames: int

    def __str__(self) -> str:
        return f"{self.identity} {self.stream} {self.frames}"


@lru_cache(maxsize=8)
def parse_request(text: str) -> DarkRequest | None:
    """Read a request; empty: there is none.

    Raises:
        ValueError: it is none.
    """
    if not text.strip():
        return None
    identity, stream, frames = (*text.split(), "", "")[:3]
    if (
        stream not in CAMERAS
        or not frames.isdecimal()
        or not FEWEST_DARKS <= int(frames) <= MOST_DARKS
        or len(text.split()) != 3
    ):
        raise ValueError(
            f"dark_request = {text!r}: expected an identity, a camera and {FEWEST_DARKS} … "
            f"{MOST_DARKS} frames."
        )
    return DarkRequest(identity, stream, int(frames))


def normal_request(text: str) -> str:
    """Return the text in its normal form; raises as `parse_request`."""
    request = parse_request(text)
    return "" if request is None else str(request)
