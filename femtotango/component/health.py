"""State and Status: what a view means for a person; pure."""

from dataclasses import dataclass
from enum import StrEnum

from femtotango.component.scan_progress import failed_frames
from femtotango.component.state import View
from pipeline.diffraction.geometry import missing
from pipeline.model.parameters import Settings

_MOST_COLUMNS = 12
"""Columns that are named in Status."""


class State(StrEnum):
    """Names of the Tango states in use."""

    ON = "ON"
    RUNNING = "RUNNING"
    ALARM = "ALARM"
    FAULT = "FAULT"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True)
class Verdict:
    """State and the text that explains it."""

    state: State
    status: str


def judge(view: View) -> Verdict:
    """Say how things stand, which part it is and what to do.

    The worst decides: a configuration that cannot work, a pipeline that cannot be reached, an
    alarm, a scan under way. Notes follow in the text whatever the state.
    """
    lines = faults(view)
    state = State.FAULT
    if not lines:
        lines, state = unreachable(view), State.UNKNOWN
    if not lines:
        lines, state = alarms(view), State.ALARM
    if not lines:
        lines, state = [_activity(view)], State.ON if view.scan.done else State.RUNNING
    elif state is State.ALARM:
        lines = [*lines, _activity(view)]
    return Verdict(state, "\n".join([*lines, *notes(view)]))


def faults(view: View) -> list[str]:
    """Return what cannot work until the configuration is changed."""
    found = list(view.configuration_errors)
    config = view.pipeline.config
    if view.pipeline.error is None and config is not None and not view.pipeline.replay:
        if not config.workers:
            found.append("The pipeline has no worker: start `dranspose worker`.")
        if not config.ingesters:
            found.append("The pipeline has no ingester: start one for each stream.")
    return found


def unreachable(view: View) -> list[str]:
    """Return which parts cannot be reached."""
    return [error for error in (view.pipeline.error, view.results.error) if error]


def alarms(view: View) -> list[str]:
    """Return what a person has to see to now.

    What the reducer says of the scan before is no alarm any more once a new one is prepared.
    """
    found = [view.save_raw_alarm] if view.save_raw_alarm else []
    if view.scan.lost and not view.scan.done:
        found.append(
            f"{view.scan.what_it_lost}; frames of this scan are missing, so it is being given up."
        )
    if view.current:
        failed = failed_frames(view.snapshot, view.scan)
        if failed:
            error = view.snapshot.health.last_error
            found.append(f"{failed} frames of this scan could not be used, the last: {error}")
        found += view.snapshot.health.alarms
    return found


def fails_frames(view: View) -> bool:
    """Say whether frames of this scan could not be used."""
    return view.current and failed_frames(view.snapshot, view.scan) > 0


def skips_frames(view: View) -> bool:
    """Say whether frames of this scan were too dense for photon detection."""
    return bool(view.of_this_scan.photons.skipped_frames)


def piles_up(view: View) -> bool:
    """Say whether photons of this scan pile up; the reducer judges when there are enough."""
    published = view.of_this_scan
    share = published.photons.pileup_fraction
    return bool(published.health.alarms) and share > view.settings.max_pileup


def notes(view: View) -> list[str]:
    """Return what is worth knowing and no alarm."""
    found = [_histogram(view.settings), view.snapshot.geometry.reason or "", _geometry(view)]
    found += [_x_source(view), _dark(view)]
    found += [view.save_raw_note, view.pipeline.waiting, view.scan_error]
    return [note for note in found if note]


def _histogram(settings: Settings) -> str:
    low, high = settings.histogram_min, settings.histogram_max
    if low < high:
        return ""
    return (
        f"The energy histogram is empty: HistogramMin {low:g} is not below HistogramMax {high:g}."
    )


def _dark(view: View) -> str:
    dark, request = view.snapshot.dark, view.settings.requested_dark
    if request is None:
        return dark.reason
    frames = dark.frames if dark.request == request.identity else 0
    return f"A dark level of {request.stream} is being taken: {frames} of {request.frames} frames."


def _x_source(view: View) -> str:
    wanted, published = view.settings.x_source, view.of_this_scan
    known = published.scan.column_names
    if not wanted or not known or published.x_label == wanted:
        return ""
    some = ", ".join(known[:_MOST_COLUMNS]) + ", …" * (len(known) > _MOST_COLUMNS)
    return (
        f"XSource: {wanted!r} is no axis of this scan, the curves are over {published.x_label}; "
        f"its columns are {some}."
    )


def _geometry(view: View) -> str:
    owner, shown = view.geometry_camera, view.shown_camera
    if missing(view.settings) or not owner or not shown or owner == shown:
        return ""
    return f"Geometry, rings and azimuthal curve are those of {owner}; {shown} is shown."


def _activity(view: View) -> str:
    scan = view.scan
    if scan.done:
        last = f" Scan {scan.number} is finished." if scan.number else ""
        return f"Ready.{last}"
    if scan.stopped:
        return f"Scan {scan.number} is being stopped."
    if scan.continuous:
        return f"Continuous mode with {scan.camera_names}, series {scan.number}."
    return f"Scan {scan.number} is running: {scan.progress or 'no event yet'}."
