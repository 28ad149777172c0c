"""Names of ROIs in the order in which they were there."""

from collections.abc import Collection

from pipeline.model.roi import MAX_ROIS


class RoiNames:
    """Names of ROIs, a limited number: of those that are gone, the newest ones stay.

    Args:
        limit: how many names are kept.
    """

    def __init__(self, limit: int = MAX_ROIS) -> None:
        self._limit = limit
        self._seen: dict[str, None] = {}
        """The one that was there last is last."""

    def update(self, names: Collection[str]) -> list[str]:
        """Note the names that are there now.

        Returns:
            Names that are kept no longer.
        """
        for name in names:
            self._seen.pop(name, None)
            self._seen[name] = None
        dropped = list(self._seen)[: max(0, len(self._seen) - self._limit)]
        for name in dropped:
            del self._seen[name]
        return dropped
