"""The interlock on the Balor's raw data: may they be dropped, must they be saved again; pure."""

from dataclasses import dataclass

from femtotango.errors import NotTrusted
from femtotango.observer import Observation


@dataclass(frozen=True)
class Interlock:
    """What to do about the Balor's SaveRaw."""

    take_back: bool = False
    """Switch raw saving on again, now."""
    alarm: str = ""
    """Names the frames that have neither raw data nor trusted photons."""


def why_not(results: Observation) -> str:
    """Say why raw data must be kept; empty: they may be dropped.

    Args:
        results: the newest observation.
    """
    if results.error is not None:
        return f"The photons cannot be judged: {results.error}"
    if results.snapshot.get("photons/may_drop_raw"):
        return ""
    reason = str(results.snapshot.get("photons/reason", ""))
    return reason or "No photons have been found yet: set PhotonRoi and take a scan."


def check_switch_off(results: Observation) -> None:
    """Check that raw saving may be switched off.

    Raises:
        NotTrusted: it may not, with the reason.
    """
    reason = why_not(results)
    if reason:
        raise NotTrusted(f"SaveRaw stays true: {reason}")


def watch(save_raw: bool | None, results: Observation) -> Interlock:
    """Decide about the Balor as it stands.

    Args:
        save_raw: the Balor's SaveRaw; None: not known.
        results: the newest observation.
    """
    reason = why_not(results)
    if save_raw is not False or not reason:
        return Interlock()
    frames = str(results.snapshot.get("photons/untrusted_frames", ""))
    named = f"Frames {frames} have" if frames else "Frames taken since then may have"
    return Interlock(
        take_back=True,
        alarm=(
            f"SaveRaw was switched on again, because trust was lost: {reason} "
            f"{named} neither raw data nor trusted photons."
        ),
    )


def compare_header(save_raw: bool | None, results: Observation) -> str:
    """Compare the Balor's SaveRaw with what the newest header says.

    Returns:
        A sentence when raw data are missing against what SaveRaw says or what trust allows.
    """
    header = results.snapshot.get("photons/save_raw")
    if header is None or header:
        return ""
    if why_not(results):
        return (
            "The camera's header says that raw data are not saved, but the photons are not "
            f"trusted: {why_not(results)} Switch the camera's SaveRaw on."
        )
    if save_raw:
        return (
            "The camera's header says that raw data of this series are not saved, although "
            "SaveRaw is true: it takes effect with the next series."
        )
    return ""
