"""What is published of the question whether every frame is safe somewhere."""

import uuid
from functools import cache

from pipeline.photons.frame_safety import frames_text
from pipeline.protocols.packed_datasets import FrameSafety
from pipeline.reducer.scan import ScanState


@cache
def process_identity() -> str:
    """Return what tells this process from the one before it, whose frames do not count as safe.

    It is made when it is asked for first. A stack's processes are forks of one that has loaded this
    module: what is made at that moment is the same in all of them.
    """
    return uuid.uuid4().hex


def published_safety(scan: ScanState | None, now: float) -> FrameSafety:
    """Say whether every frame is safe somewhere.

    Args:
        scan: the newest one with a camera whose photons are searched; None: there was none.
        now: monotonic [s].
    """
    if scan is None or scan.photons is None:
        return FrameSafety(
            process=process_identity(),
            reason="No frame of the Balor was seen yet: take a scan.",
        )
    scan.look_at_queue(now)
    photons = scan.photons
    safety = photons.safety(now)
    return FrameSafety(
        process=process_identity(),
        mapping=scan.mapping,
        number=scan.published_number,
        filename=photons.path,
        may_drop_raw=int(safety.may_drop_raw),
        reason=safety.reason,
        newest=safety.newest,
        unsafe=frames_text(safety.unsafe),
        waiting=frames_text(safety.waiting),
        series_ended=int(scan.photon_series_ended),
        complete=int(safety.complete),
        save_raw=photons.save_raw,
    )
