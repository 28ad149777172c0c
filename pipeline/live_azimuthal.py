"""Keep the azimuthal curve of the shown image up to date, at most twice a second."""

from typing import Any

from pipeline.reducer_store import ReducerStore


class LiveAzimuthal:
    def __init__(self, store: ReducerStore) -> None:
        self._store = store

    def update(self, now: float) -> dict[str, dict[str, Any]] | None:
        return None
