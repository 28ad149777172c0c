"""Which scan is under way and whether it is finished; pure."""

import math
from dataclasses import dataclass, replace

from femtotango.dranspose_client.services import Config, Progress
from pipeline.protocols.snapshot import Published


@dataclass(frozen=True)
class Scan:
    """One trigger map as the device sees it."""

    number: int = 0
    """Counts the scans; 0: none yet."""
    mapping: str = ""
    """uuid of the trigger map; empty: whichever the results are of."""
    workers: frozenset[str] = frozenset()
    """Their end batches have to be in; empty (replay): the end of the series suffices."""
    services: frozenset[tuple[str, str]] = frozenset()
    """Name and uuid of the ingesters and workers with which it began."""
    lost: frozenset[str] = frozenset()
    """Those of them that were restarted or are gone."""
    frames: int | None = None
    """Expected of each camera; None: as many as come."""
    burst: int = 1
    """Frames per point and camera."""
    cameras: tuple[str, ...] = ()
    """Their streams; none: another client began this scan."""
    continuous: bool = False
    failed_before: int | None = 0
    """The pipeline's failed frames when the scan began; None: they are not known yet."""
    progress: Progress | None = None
    """Newest that is known of its events."""
    stopped: bool = False
    """Given up; what is outstanding never comes."""
    polls_left: int = 0
    """The scan is over; after so many polls of its results it is done."""
    done: bool = True
    """All its results are readable."""

    @property
    def camera_names(self) -> str:
        """Its cameras as they stand in a sentence."""
        return " and ".join(self.cameras)

    @property
    def what_it_lost(self) -> str:
        """The parts that it has lost, with what became of them.

        Where a worker is among them, workers only: ingesters cannot go on without it, and are
        restarted because of it.
        """
        *others, last = sorted(self.lost & self.workers or self.lost)
        names = f"{', '.join(others)} and {last}" if others else last
        return f"{names} ended or {'hang' if others else 'hangs'}"


def followed(scan: Scan, config: Config, progress: Progress) -> Scan:
    """Return the scan with what the controller says of it now."""
    names = {name for name, _ in scan.services}
    # Where one of the same name is new, the one before has ended, although dranspose lists it for
    # another 10 s.
    gone = names & {name for name, _ in scan.services ^ config.sources_and_workers}
    # A controller that was started anew knows of no event.
    progress = progress if progress.total or scan.progress is None else scan.progress
    return replace(scan, progress=progress, lost=scan.lost if scan.done else scan.lost | gone)


def failed_frames(snapshot: Published, scan: Scan) -> int:
    """Return how many frames of this scan could not be used, as far as that is known."""
    failed = snapshot.health.failed_frames
    return max(0, failed - (failed if scan.failed_before is None else scan.failed_before))


def outstanding(snapshot: Published, scan: Scan) -> dict[str, int]:
    """Return how many frames of the scan have not come, of each camera that is behind."""
    if scan.frames is None:
        return {}
    of_scan = snapshot.scan.mapping == scan.mapping
    seen = (snapshot.cameras or {}) if of_scan else {}
    missing = {
        camera: scan.frames - (seen[camera].scan_processed if camera in seen else 0)
        for camera in scan.cameras
    }
    return {camera: frames for camera, frames in missing.items() if frames > 0}


def series_over(snapshot: Published, scan: Scan, frames: float = math.inf) -> bool:
    """Say whether the end of the scan's series and everything before it is in.

    Args:
        snapshot: what the reducer publishes.
        scan: the newest scan.
        frames: a series of so many, of any camera, is over too: the trigger map has no more events
            for it.
    """
    if snapshot.scan.mapping != scan.mapping:
        return False
    processed = (camera.scan_processed for camera in (snapshot.cameras or {}).values())
    return bool(snapshot.scan.ended) or max(processed, default=0) >= frames


def over_elsewhere(snapshot: Published, scan: Scan) -> bool:
    """Say whether another client's trigger map is over that brought no scan."""
    progress = scan.progress
    if scan.cameras or progress is None or snapshot.scan.mapping == scan.mapping:
        return False
    return progress.finished and progress.completed >= progress.total > 0


def complete(snapshot: Published, scan: Scan) -> bool:
    """Say whether all results of the scan are in the snapshot.

    The controller must have seen all events, every worker must have flushed, and
    what is computed behind the results must belong to the newest image.
    """
    progress = scan.progress
    if scan.continuous or progress is None:
        return False
    if progress.total == 0 or progress.completed < progress.total:
        return False
    if not series_over(snapshot, scan) or not snapshot.health.settled:
        return False
    return scan.workers <= frozenset(snapshot.scan.ended_workers)


def ended_in_vain(snapshot: Published, scan: Scan) -> bool:
    """Say whether a scan that is not complete has ended all the same.

    The series of all its cameras have ended, so that only records can be missing; or all events
    that the trigger map has are used up, so that dranspose takes nothing more. What is computed
    behind the results must be in, or it may only be slow.
    """
    progress = scan.progress
    if scan.continuous or progress is None or not snapshot.health.settled:
        return False
    if snapshot.scan.mapping != scan.mapping:
        return False
    used_up = 0 < progress.total <= progress.completed
    seen = snapshot.cameras or {}
    ended = bool(scan.cameras) and all(
        camera in seen and seen[camera].scan_ended for camera in scan.cameras
    )
    return used_up or ended


def signs_of_life(snapshot: Published, scan: Scan) -> tuple[int, ...]:
    """Return numbers that change whenever something of the scan comes in."""
    events = scan.progress.completed if scan.progress is not None else 0
    if snapshot.scan.mapping != scan.mapping:
        return (events,)
    cameras = (snapshot.cameras or {}).values()
    ended = sum(camera.scan_ended for camera in cameras)
    return (events, snapshot.scan.processed, ended, len(snapshot.scan.ended_workers))
