"""The scans that may still change, by trigger map: their order, and what files call them."""

from collections.abc import Iterator

from pipeline.photons.list_resume import Existing
from pipeline.photons.trust import PhotonsBefore
from pipeline.reducer.scan import ScanState

_UNKNOWN = "None"
"""The trigger map of a process that was started in the middle of a run."""
_MAX_SCANS = 3
_MAX_LABELS = 1000


class Scans:
    """The newest scans, and order and label of those that are no longer kept."""

    def __init__(self) -> None:
        self._scans: dict[str, ScanState] = {}
        self._dropped: dict[str, tuple[int, str]] = {}
        """Order and label of scans that are no longer kept."""
        self._labels: dict[str, str] = {}
        """Trigger map of the scan that has a label."""
        self._orders = 0
        self._oldest = 0
        self._announced = _UNKNOWN

    def __iter__(self) -> Iterator[ScanState]:
        return iter(self._scans.values())

    def get(self, mapping: str) -> ScanState | None:
        """Return the scan of a trigger map, if it is kept."""
        return self._scans.get(mapping)

    def is_dropped(self, mapping: str) -> bool:
        """Say whether a scan was kept once, and is no longer."""
        return mapping in self._dropped

    @staticmethod
    def is_known(mapping: str) -> bool:
        """Say whether dranspose names the trigger map."""
        return mapping != _UNKNOWN

    def announce(self, mapping: str) -> bool:
        """Note that a trigger map has begun; return whether its scan is there already."""
        self._announced = mapping
        scan = self._scans.get(mapping)
        if scan is not None and scan.order <= 0:
            # Its first results were faster than dranspose's word of it.
            self._orders += 1
            scan.order = self._orders
        return scan is not None

    def forget_announced(self) -> None:
        """Go on in a process that does not know which trigger map runs."""
        self._announced = _UNKNOWN

    def find(self, mapping: str) -> ScanState | None:
        """Return the scan that results of a trigger map belong to; None: it is to be opened."""
        if mapping in self._scans:
            return self._scans[mapping]
        if self._announced in (mapping, _UNKNOWN):
            return None
        # Of a scan before this process: it must not take the place of the one that runs.
        self._oldest -= 1
        self._scans[mapping] = ScanState(mapping, self._oldest)
        return self._scans[mapping]

    def open(
        self, mapping: str, before: PhotonsBefore, existing: Existing
    ) -> tuple[ScanState, list[ScanState]]:
        """Open a scan that is newer than all others.

        Args:
            mapping: its trigger map.
            before: what the photons of the scan before say.
            existing: its photon file of the process before.

        Returns:
            The scan, and those that are not kept any longer.
        """
        self._orders += 1
        self._scans[mapping] = ScanState(mapping, self._orders, before, existing)
        dropped: list[ScanState] = []
        # Frames of a cut-off scan may still come with the first event of the next.
        while len(self._scans) > _MAX_SCANS:
            oldest = self._scans.pop(next(iter(self._scans)))
            self._dropped[oldest.mapping] = oldest.order, self.label_of(oldest)
            dropped.append(oldest)
        while len(self._dropped) > _MAX_LABELS:
            del self._dropped[next(iter(self._dropped))]
        return self._scans[mapping], dropped

    def dropped(self, mapping: str) -> tuple[int, str]:
        """Return order and label of a scan that is no longer kept."""
        return self._dropped[mapping]

    def label_of(self, scan: ScanState) -> str:
        """Return a scan's label; where another one has it already, with a number of its own."""
        owner = self._labels.setdefault(scan.label, scan.mapping)
        if len(self._labels) > _MAX_LABELS:
            del self._labels[next(iter(self._labels))]
        return scan.label if owner == scan.mapping else f"{scan.label} ({scan.order})"
