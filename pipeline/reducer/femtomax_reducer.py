"""The reduce step: put batches together, publish, and keep files and curves up to date."""

import logging
import threading
import time
from collections.abc import Mapping
from functools import cache
from typing import Any

from pipeline.dranspose_parameters import describe_parameters, parameter_bytes
from pipeline.frames import binning
from pipeline.model.parameters import settings_from_bytes
from pipeline.reducer import accumulation
from pipeline.reducer.background import ReducerTasks
from pipeline.reducer.publisher import Publisher
from pipeline.reducer.state import ReducerStore

logger = logging.getLogger(__name__)

TIMER_INTERVAL = 0.2
"""How often the work outside of the path of results is looked at [s]."""


class FemtomaxReducer:
    """dranspose reducer of the FemtoMAX pipeline."""

    def __init__(
        self,
        parameters: Mapping[str, Any] | None = None,
        context: dict[str, Any] | None = None,
        state: Any = None,
        **_: Any,
    ) -> None:
        context = {} if context is None else context
        _warm_up()
        if "femtotango" not in context:
            store = ReducerStore()
            publisher = Publisher(store)
            context["femtotango"] = store, publisher, ReducerTasks(store, publisher)
        self._store, self._publisher, self._tasks = context["femtotango"]
        with self._store.lock:
            self._store.announce(str(getattr(state, "mapping_uuid", None)))
        self._update_settings(parameters)

    @staticmethod
    def describe_parameters() -> list[Any]:
        """Return dranspose's description of all parameters."""
        return describe_parameters()

    @property
    def publish(self) -> dict[str, Any]:
        """The published tree as it stands now."""
        return self._publisher.tree()

    @property
    def publish_rlock(self) -> threading.RLock:
        """Held while the tree is read."""
        return self._store.lock

    def process_result(self, result: Any, parameters: Mapping[str, Any] | None = None) -> None:
        """Take in what a worker returned for one event."""
        self._update_settings(parameters)
        for batch in result.payload:
            with self._store.lock:
                try:
                    self._store.add(batch)
                except Exception as error:
                    logger.exception("event %d could not be reduced", batch.event)
                    what = f"{type(error).__name__}: {error}"
                    self._store.health.fail(f"event {batch.event} could not be reduced: {what}", 1)
        # The end event closes files: `finish` may never come.
        self._tasks.close_files()

    def timer(self, parameters: Mapping[str, Any] | None = None) -> float:
        """Do what need not be done for each result; return when to come again [s]."""
        self._update_settings(parameters)
        try:
            self._tasks.run(time.monotonic())
        except Exception as error:
            logger.exception("the reducer's timer failed")
            with self._store.lock:
                self._store.health.fail(f"reducer timer: {type(error).__name__}: {error}")
                self._store.revision += 1
        return TIMER_INTERVAL

    def close(self, context: Mapping[str, Any] | None = None) -> None:
        """Save what is not saved; called when the process ends."""
        self._tasks.close()

    def _update_settings(self, parameters: Mapping[str, Any] | None) -> None:
        if not parameters:
            return
        store = self._store
        data = parameter_bytes(parameters)
        with store.lock:
            if data == store.parameter_data:
                return
            store.settings, refused = settings_from_bytes(data, store.settings)
            store.parameter_data = data
            store.accumulation.reset(store.settings.accumulation_id)
            for error in refused:
                store.health.fail(error)
            if store.scan is not None and store.scan.photons is not None:
                store.scan.photons.update(store.settings)
            store.revision += 1


@cache
def _warm_up() -> None:
    """Compile the kernels beside the start-up: seconds at the very first time on a machine."""

    def warm_up() -> None:
        accumulation.warm_up()
        binning.warm_up()

    threading.Thread(target=warm_up, name="femtomax-warm-up").start()
