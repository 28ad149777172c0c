"""Save ended sums."""

from pipeline.accumulate import Sum
from pipeline.reducer_store import ReducerStore


class SumSaver:
    def __init__(self, store: ReducerStore) -> None:
        self._store = store

    def save(self, total: Sum) -> None:
        total.saved_count = total.count

    def alarms(self) -> list[str]:
        return []
