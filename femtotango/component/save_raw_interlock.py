"""The interlock on the Balor's raw data: may they be dropped, must they be saved again; pure."""

from dataclasses import dataclass, replace

from femtotango.component.health import faults, unreachable
from femtotango.component.results_poller import Observation
from femtotango.component.state import View
from femtotango.errors import NotTrusted

PATIENCE = 1.5
"""A pipeline that has been away for so long is trust lost [s]; with the pace at which the Balor is
looked at, raw data are saved again within two seconds."""


@dataclass(frozen=True)
class Loss:
    """Trust that was lost while raw data were not saved."""

    mapping: str
    """The scan in which it happened."""
    number: int
    """Number of that scan; 0: not known."""
    reason: str
    frames: str
    """Have neither raw data nor trusted photons; empty: not known."""
    saved_again: bool = False
    """The Balor has taken its SaveRaw back."""

    @property
    def text(self) -> str:
        """What happened, and which frames it cost."""
        done = "was" if self.saved_again else "is being"
        scan = f" of scan {self.number}" if self.number else ""
        named = f"Frames {self.frames}{scan} have" if self.frames else "Frames since then may have"
        return (
            f"SaveRaw {done} switched on again, because trust was lost: {self.reason} "
            f"{named} neither raw data nor trusted photons."
        )


Losses = tuple[Loss, ...]


def pipeline_problem(view: View) -> str:
    """Say why nobody can vouch for the photons now; empty: the pipeline is at work."""
    away, broken = unreachable(view), faults(view)
    if away:
        return f"The pipeline cannot be reached: {' '.join(away)}"
    return f"The pipeline cannot work: {' '.join(broken)}" if broken else ""


def why_not(view: View) -> str:
    """Say why raw data must be kept; empty: they may be dropped."""
    problem = pipeline_problem(view)
    if problem or view.snapshot.photons.may_drop_raw:
        return problem
    reason = view.snapshot.photons.reason
    return reason or "No photons have been found yet: set PhotonRoi and take a scan."


def check_switch_off(view: View) -> None:
    """Check that raw saving may be switched off.

    Raises:
        NotTrusted: it may not, with the reason.
    """
    reason = why_not(view)
    if reason:
        raise NotTrusted(f"SaveRaw stays true: {reason}")


def watch(save_raw: bool | None, view: View, away: float) -> Loss | None:
    """Decide about the Balor as it stands.

    Args:
        save_raw: the Balor's SaveRaw; None: not known.
        view: everything that is known now.
        away: how long the pipeline has had a problem [s].

    Returns:
        The loss for which raw saving must be switched on again, now; None: all is well.
    """
    if save_raw is not False or (pipeline_problem(view) and away < PATIENCE):
        return None
    reason = why_not(view)
    if not reason:
        return None
    number = view.snapshot.scan.number
    return Loss(view.results.mapping, number, reason, _untrusted(view.results))


def add(losses: Losses, loss: Loss) -> Losses:
    """Add a loss; a scan has only one, and its first reason stays."""
    if all(known.mapping != loss.mapping for known in losses):
        return (*losses, loss)
    return tuple(
        replace(known, saved_again=False) if known.mapping == loss.mapping else known
        for known in losses
    )


def name_frames(losses: Losses, results: Observation) -> Losses:
    """Name the frames anew: as long as the scan goes on there are more of them."""
    frames = _untrusted(results)
    return tuple(
        replace(loss, frames=frames) if frames and loss.mapping == results.mapping else loss
        for loss in losses
    )


def saved_again(losses: Losses) -> Losses:
    """Note that the Balor has taken its SaveRaw back."""
    return tuple(replace(loss, saved_again=True) for loss in losses)


def alarm(losses: Losses) -> str:
    """Return the alarm and how it ends; empty: none."""
    if not losses:
        return ""
    return "\n".join([*(loss.text for loss in losses), "Write SaveRaw to acknowledge."])


def compare_header(save_raw: bool | None, view: View) -> str:
    """Compare the Balor's SaveRaw with what the header of the series under way says.

    Returns:
        A sentence when raw data are missing against what SaveRaw says or what trust allows.
    """
    under_way = view.current and not view.scan.stopped and not view.snapshot.scan.ended
    header = view.snapshot.photons.save_raw
    if not under_way or header is None or header:
        return ""
    found = "The camera's header says that raw data of this series are not saved"
    later = "SaveRaw is true: it takes effect with the next series."
    reason = why_not(view)
    if reason:
        cure = later if save_raw else "Switch the camera's SaveRaw on."
        return f"{found}, but the photons are not trusted: {reason} {cure}"
    return f"{found}, although {later}" if save_raw else ""


def _untrusted(results: Observation) -> str:
    return results.snapshot.photons.untrusted_frames or ""
