"""The interlock on the Balor's raw data: pure transitions of one frozen state.

               allow (a client writes false)            the camera's series has ended,
                       │                                or a client writes true
                       ▼                                          │
      nothing ──▶ Drop, raw off ─────────────────────────▶ Drop, raw on ──▶ nothing:
                       │                                          │      all frames durable
                       └─────────▶ Loss ◀─────────────────────────┘
                        what must hold ends; kept until `acknowledge`

The reducer owns the question whether every frame is safe somewhere (`FrameSafety`); this file adds
what only the device knows: which scan was prepared, whether it goes on, whether all parts live.
"""

from dataclasses import replace

from femtotango.component.frames_at_risk import first_frame, frames_at_risk
from femtotango.component.raw_data import Drop, Loss, RawData, Signs
from femtotango.component.scan_progress import Scan
from femtotango.errors import NotTrusted
from pipeline.model.cameras import CAMERAS
from pipeline.protocols.packed_datasets import FrameSafety

_START = "start the camera, then write SaveRaw again"
KILLED = "the device was killed while raw data were not saved: nobody watched."
ENDED = "the device was ended or initialised while raw data were not saved."
_AT_START = "it was false when the device began to watch."
_ELSEWHERE = "it was false without this device's permission: another client has written it."


def why_not(signs: Signs, scan: Scan) -> str:
    """Say why raw data must be saved; empty: they need not.

    Args:
        signs: what is known of the pipeline.
        scan: the newest, as the device sees it.
    """
    if not of_balor(scan) or scan.done or scan.stopped:
        return (
            "no prepared or continuous scan of the Balor is running: call PrepareScan or "
            f"StartContinuous, {_START}."
        )
    safety = signs.safety
    if signs.away or safety is None:
        return signs.away or "the reducer was not asked yet."
    if safety.mapping != scan.mapping:
        return f"the camera's header of scan {scan.number} has not come yet: {_START}."
    if safety.series_ended:
        return f"the camera's series of scan {scan.number} has ended: prepare the next scan."
    if not safety.may_drop_raw:
        return safety.reason or "the photons are not safe."
    return signs.silent


def allow(state: RawData, signs: Signs, scan: Scan) -> RawData:
    """Permit that SaveRaw is false from now on.

    Raises:
        NotTrusted: it must be true, with the reason.
    """
    reason, safety = why_not(signs, scan), signs.safety
    if not reason and safety is not None and _had_another_reducer(state, safety):
        reason = (
            "the reducer was started anew in this series, and what came just before is not known: "
            "prepare the next scan."
        )
    if reason or safety is None:
        raise NotTrusted(f"SaveRaw stays true: {reason}")
    if state.drop is not None and state.drop.mapping == scan.mapping:
        return replace(state, drop=replace(state.drop, raw_off=True, until=None), off=True)
    drop = Drop(scan.number, scan.mapping, safety.process, safety.newest + 1)
    return replace(state, drop=drop, off=True)


def _had_another_reducer(state: RawData, safety: FrameSafety) -> bool:
    """Say whether the series has frames at risk that only a reducer before this one knew of."""
    return any(
        loss.mapping == safety.mapping and loss.process not in ("", safety.process)
        for loss in state.losses
    )


def switched_on(state: RawData, signs: Signs) -> RawData:
    """Note that a client has switched raw saving on again."""
    drop = state.drop
    if drop is None or not drop.raw_off:
        return replace(state, off=False)
    newest = -1 if signs.safety is None else signs.safety.newest
    return replace(state, drop=replace(drop, raw_off=False, until=newest), off=False)


def follow(state: RawData, signs: Signs, scan: Scan, now: float) -> RawData:
    """Take in what is known now.

    Args:
        state: the state before.
        signs: what is known of the pipeline.
        scan: the newest, as the device sees it.
        now: monotonic [s].
    """
    safety, drop = signs.safety, state.drop
    if safety is not None:
        state = replace(state, losses=tuple(_renamed(loss, safety) for loss in state.losses))
    if drop is None:
        return state
    if _is_durable(drop, safety):
        return replace(state, drop=None)
    if drop.over is None and _events_done(drop, scan):
        drop = replace(drop, over=now)
    reason = _what_ended(drop, signs, scan)
    if reason:
        return lose(replace(state, drop=drop), reason, safety)
    if safety is not None and safety.series_ended and drop.raw_off:
        drop = replace(drop, raw_off=False)
    return replace(state, drop=drop)


def lose(state: RawData, reason: str, safety: FrameSafety | None) -> RawData:
    """Make a loss of the drop."""
    drop = state.drop
    if drop is None:
        return state
    frames = f"{drop.first}-"
    loss = Loss(reason, drop.number, drop.mapping, drop.process, drop.first, frames)
    return _with_loss(replace(state, drop=None), loss, safety)


def found_false(
    state: RawData, signs: Signs, scan: Scan, saved_up_to: tuple[str, int] | None
) -> RawData:
    """Take in that the camera's SaveRaw is false although nobody has permitted it.

    Args:
        state: the state before.
        signs: what is known of the pipeline.
        scan: the newest, as the device sees it.
        saved_up_to: trigger map and newest frame when SaveRaw was seen true last; None: never.
    """
    if state.off:
        return state
    state = replace(state, off=True)
    reason = _AT_START if saved_up_to is None else _ELSEWHERE
    if scan.done or not of_balor(scan):
        return _with_loss(state, Loss(reason), None)
    mapping, newest = saved_up_to or ("", -1)
    first = newest + 1 if mapping == scan.mapping else 0
    loss = Loss(reason, scan.number, scan.mapping, "", first, f"{first}-")
    return _with_loss(state, loss, signs.safety)


def unsaved_series(state: RawData, signs: Signs, scan: Scan) -> RawData:
    """Take in a series whose header says that its raw data are not saved, unknown to this device.

    It began in between: after a series of continuous mode, or before the device was started.
    """
    safety = signs.safety
    if safety is None or safety.save_raw is None or safety.save_raw or not safety.unsafe:
        return state
    known = {loss.mapping for loss in state.losses} | {state.acknowledged}
    known |= {state.drop.mapping} if state.drop else set()
    if safety.mapping in known or safety.mapping != scan.mapping or scan.done:
        return state
    reason = "the camera's header says that raw data of this series are not saved."
    loss = Loss(reason, scan.number, scan.mapping, safety.process, 0, "0-")
    return _with_loss(state, loss, safety)


def acknowledge(state: RawData, signs: Signs) -> RawData:
    """Forget the losses: somebody has seen them."""
    newest = "" if signs.safety is None else signs.safety.mapping
    return replace(state, losses=(), acknowledged=newest)


def alarm(state: RawData) -> str:
    """Return the alarm and how it ends; empty: none."""
    if not state.losses:
        return ""
    texts = [loss.text for loss in state.losses]
    if state.off and state.must_save:
        texts.append("The camera has not taken SaveRaw = true yet.")
    return "\n".join([*texts, "Call AcknowledgeLoss when you have noted that."])


def compare_header(save_raw: bool | None, state: RawData, signs: Signs, scan: Scan) -> str:
    """Compare the Balor's SaveRaw with what the header of the series under way says.

    Returns:
        A sentence when raw data are missing against what SaveRaw says or what was permitted.
    """
    safety = signs.safety
    if safety is None or safety.mapping != scan.mapping or scan.done or scan.stopped:
        return ""
    if safety.series_ended or safety.save_raw is None or safety.save_raw:
        return ""
    found = "The camera's header says that raw data of this series are not saved"
    later = "SaveRaw is true: it takes effect with the next series."
    reason = why_not(signs, scan)
    if reason:
        cure = later if save_raw else "Switch the camera's SaveRaw on."
        return f"{found}, but the photons are not safe: {reason} {cure}"
    return f"{found}, although {later}" if save_raw else ""


def of_balor(scan: Scan) -> bool:
    """Say whether a scan was begun by this device, with the camera of single photons."""
    return any(CAMERAS[c].finds_photons for c in scan.cameras if c in CAMERAS)


def _is_durable(drop: Drop, safety: FrameSafety | None) -> bool:
    """Say whether nothing of the series lacks both raw data and photons any more."""
    if safety is None or (safety.mapping, safety.process) != (drop.mapping, drop.process):
        return False
    if safety.complete:
        return True
    if drop.until is None or drop.raw_off or not safety.may_drop_raw:
        return False
    waiting = first_frame(safety.waiting)
    return waiting is None or waiting > drop.until


def _what_ended(drop: Drop, signs: Signs, scan: Scan) -> str:
    """Say what has ended of that which must hold; empty: nothing."""
    safety = signs.safety
    if signs.away or safety is None:
        return signs.away or "the reducer has not answered."
    if safety.process != drop.process:
        return "the reducer was started anew."
    if safety.mapping != drop.mapping:
        return "another series of the camera began before this one was safe."
    if not safety.may_drop_raw:
        return safety.reason or "the photons are not safe."
    if safety.series_ended or not drop.raw_off:
        return ""
    if signs.silent:
        return signs.silent
    if scan.mapping != drop.mapping:
        return f"scan {drop.number} was cut off: another one began."
    if scan.stopped:
        return f"scan {drop.number} was stopped in the middle of the camera's series."
    if scan.progress is not None and scan.progress.finished and drop.over is None:
        return f"scan {drop.number} was ended at the controller in the middle of the series."
    if drop.over is not None and signs.asked > drop.over:
        return (
            f"all frames announced for scan {drop.number} came, and the camera's series goes on: "
            "the pipeline never sees what comes now."
        )
    return ""


def _events_done(drop: Drop, scan: Scan) -> bool:
    progress = scan.progress
    if progress is None or scan.mapping != drop.mapping:
        return False
    return progress.completed >= progress.total > 0


def _with_loss(state: RawData, loss: Loss, safety: FrameSafety | None) -> RawData:
    """Add a loss; a series has only one, and its first reason stays."""
    others = []
    for known in state.losses:
        if (known.mapping, known.process) == (loss.mapping, loss.process):
            loss = replace(known, first=min(known.first, loss.first), closed=False)
        else:
            others.append(known)
    if safety is not None:
        loss = _renamed(loss, safety)
    return replace(state, losses=(*others, loss))


def _renamed(loss: Loss, safety: FrameSafety) -> Loss:
    """Name the frames anew as long as the reducer tells of that series."""
    known = loss.process in ("", safety.process)
    if loss.closed or not known or loss.mapping != safety.mapping or not loss.mapping:
        return loss
    frames = frames_at_risk(safety, loss.first)
    over = bool(safety.complete) or (bool(safety.series_ended) and not safety.waiting)
    return replace(loss, process=safety.process, frames=frames, closed=over)
