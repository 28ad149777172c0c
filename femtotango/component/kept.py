"""What one life of the device leaves to the next; frozen, and as texts that Tango can keep."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, TypeVar
from urllib.parse import quote, unquote

from femtotango.component.raw_data import Drop, Loss, RawData
from femtotango.component.roi_slots import EMPTY, SLOTS
from femtotango.component.scan_progress import Scan
from femtotango.component.setting_flow import Flow
from pipeline.model.cameras import check_camera, ranked

Q_VALUES = "KeptQValues"
ROI_SLOTS = "KeptRoiSlots"
SCAN = "KeptScan"
RAW_DATA = "KeptRawData"
SUM = "KeptSum"
SEEN_CAMERAS = "KeptCameras"
PROPERTIES = (Q_VALUES, ROI_SLOTS, SCAN, RAW_DATA, SUM, SEEN_CAMERAS)
"""Device properties that the device itself writes."""

_FREE = "no/roi"
"""A free slot: Tango's files have no empty texts, and no ROI can have this name."""
_NONE = "none"
"""No value: an empty property breaks Tango's files."""
_SAFE = " {}[]():,;.+-=/"
"""What needs no escape. Tango's C++ database loses a backslash before a quote."""
_OF_A_SCAN = (
    *("number", "mapping", "frames", "burst", "continuous", "failed_before"),
    *("stopped", "done"),
)

T = TypeVar("T")


@dataclass(frozen=True)
class KeptScan:
    """The newest scan, and what is known of those before."""

    scan: Scan = field(default_factory=Scan)
    known: tuple[str, ...] = ()
    """Trigger maps that are no news, the newest last."""
    given_up: int = 0
    """Frames that were outstanding when scans were stopped."""
    last_error: str = ""


@dataclass(frozen=True)
class Kept:
    """Everything that a new life begins with."""

    flow: Flow = field(default_factory=Flow)
    controller: str = ""
    """The one that the flow speaks of."""
    max_filter: bool = False
    q_values: tuple[float, ...] = ()
    """[1/Å]"""
    slots: tuple[str, ...] = EMPTY
    """ROI in each slot."""
    scan: KeptScan = field(default_factory=KeptScan)
    raw_data: RawData = field(default_factory=RawData)
    sum_number: int = 0
    """Accumulation id of the newest sum; in a life that goes on, the flow has it too."""
    cameras: tuple[str, ...] = ()
    """Cameras that were seen: they have attributes of their own."""


def to_properties(kept: Kept) -> dict[str, list[str]]:
    """Return what Tango does not keep by itself, as device properties."""
    scan = kept.scan.scan
    about_scan = {
        **{name: getattr(scan, name) for name in _OF_A_SCAN},
        "cameras": scan.cameras,
        "workers": sorted(scan.workers),
        "services": sorted(scan.services),
        "lost": sorted(scan.lost),
        "known": kept.scan.known[-1:],
        "given_up": kept.scan.given_up,
        "last_error": kept.scan.last_error,
    }
    return {
        Q_VALUES: q_value_texts(kept.q_values),
        ROI_SLOTS: [name or _FREE for name in kept.slots],
        SCAN: [_text(about_scan)],
        RAW_DATA: raw_data_texts(kept.raw_data),
        SUM: [str(kept.sum_number)],
        SEEN_CAMERAS: list(kept.cameras) or [_NONE],
    }


def from_properties(properties: Mapping[str, Sequence[str]]) -> tuple[Kept, dict[str, str]]:
    """Read what `to_properties` wrote.

    Returns:
        What could be read, and by property why something was not used.
    """
    refused: dict[str, str] = {}

    def read(name: str, reader: Callable[[Sequence[str]], T], default: T) -> T:
        texts = [str(text) for text in properties.get(name) or ()]
        if not texts:
            return default
        try:
            return reader(texts)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            refused[name] = f"{name} = {texts[0][:80]!r} cannot be read ({error!r})."
            return default

    kept = Kept()
    kept = replace(
        kept,
        q_values=read(Q_VALUES, _q_values, kept.q_values),
        slots=read(ROI_SLOTS, _slots, kept.slots),
        scan=read(SCAN, _scan, kept.scan),
        raw_data=read(RAW_DATA, _raw_data, kept.raw_data),
        sum_number=read(SUM, lambda texts: int(texts[0]), kept.sum_number),
        cameras=read(SEEN_CAMERAS, _seen_cameras, kept.cameras),
    )
    return kept, refused


def q_value_texts(q_values: Iterable[float]) -> list[str]:
    """Return QValues as a property."""
    return [str(q) for q in q_values] or [_NONE]


def raw_data_texts(raw_data: RawData) -> list[str]:
    """Return what became of the raw data as a property."""
    return [_text(asdict(raw_data))]


def _q_values(texts: Sequence[str]) -> tuple[float, ...]:
    return tuple(float(text) for text in texts if text != _NONE)


def _slots(texts: Sequence[str]) -> tuple[str, ...]:
    names = ["" if text == _FREE else text for text in texts]
    return tuple((*names, *EMPTY)[:SLOTS])


def _seen_cameras(texts: Sequence[str]) -> tuple[str, ...]:
    return ranked(check_camera(text) for text in texts if text != _NONE)


def _scan(texts: Sequence[str]) -> KeptScan:
    raw = _value(texts)
    # Without its trigger map nobody could say when it is over.
    raw["done"] = raw["done"] or not raw["mapping"]
    scan = Scan(
        **{name: raw[name] for name in _OF_A_SCAN},
        cameras=_cameras(raw),
        workers=frozenset(raw["workers"]),
        services=frozenset((name, uuid) for name, uuid in raw["services"]),
        lost=frozenset(raw["lost"]),
    )
    return KeptScan(scan, tuple(raw["known"]), int(raw["given_up"]), str(raw["last_error"]))


def _cameras(raw: Mapping[str, Any]) -> tuple[str, ...]:
    # What an earlier version kept has one camera.
    one = raw.get("camera")
    return tuple(raw.get("cameras") or ([one] if one else ()))


def _raw_data(texts: Sequence[str]) -> RawData:
    raw = _value(texts)
    return RawData(
        drop=Drop(**raw["drop"]) if raw["drop"] else None,
        losses=tuple(Loss(**loss) for loss in raw["losses"]),
        off=bool(raw["off"]),
        acknowledged=str(raw["acknowledged"]),
    )


def _text(value: Any) -> str:
    return quote(json.dumps(value), safe=_SAFE)


def _value(texts: Sequence[str]) -> Any:
    return json.loads(unquote(texts[0]))
