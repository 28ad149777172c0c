"""The reduce step: put batches together, publish, and keep files and curves up to date."""

import atexit
import logging
import os
import threading
import time
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pipeline.dranspose_parameters import Changes, describe_parameters, parameter_bytes
from pipeline.files.journal_file import FOLDER_VARIABLE
from pipeline.frames import binning, roi_statistics
from pipeline.model.parameters import settings_from_bytes
from pipeline.reducer import growing_sum
from pipeline.reducer.background import Background
from pipeline.reducer.dark_taker import DarkTaker
from pipeline.reducer.journal_open import MakeJournal, no_journal, open_journal
from pipeline.reducer.live_integration import LiveIntegration
from pipeline.reducer.publisher import Publisher
from pipeline.reducer.pulse_sweeper import PulseSweeper
from pipeline.reducer.state import ReducerState
from pipeline.reducer.sum_saver import SumSaver

logger = logging.getLogger(__name__)

TIMER_INTERVAL = 0.2
"""How often the work outside of the path of results is done [s]."""
CONTEXT = "femtotango"


@dataclass(frozen=True)
class _Parts:
    """What outlives a scan: dranspose makes a new reducer object for each one."""

    state: ReducerState
    publisher: Publisher
    background: Background
    darks: DarkTaker
    sweeper: PulseSweeper


def make_parts(state: ReducerState, make_journal: MakeJournal = no_journal) -> _Parts:
    """Return the parts around a state."""
    integration = LiveIntegration(state)
    darks = DarkTaker(lambda: _dark_folder(state), state.mark_changed)
    publisher = Publisher(state, integration.up_to_date, lambda: darks.status)
    background = Background(state, publisher, integration, SumSaver(state), make_journal)
    _close_at_exit(background)
    return _Parts(state, publisher, background, darks, PulseSweeper())


def _dark_folder(state: ReducerState) -> str:
    """Return where dark levels are kept: with ended sums, else beside the journal."""
    return state.settings.output_folder or os.environ.get(FOLDER_VARIABLE, "")


def _close_at_exit(background: Background) -> None:
    """Save what is not saved when the process ends: `dranspose replay` calls no `close`."""
    known = weakref.ref(background)

    def close() -> None:
        left = known()
        if left is not None:
            left.close()

    atexit.register(close)


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
        parts: _Parts | None = context.get(CONTEXT)
        if parts is None:
            folder = os.environ.get(FOLDER_VARIABLE, "")
            parts = context[CONTEXT] = make_parts(*open_journal(folder))
        self._state = parts.state
        self._publisher = parts.publisher
        self._background = parts.background
        self._darks = parts.darks
        self._sweeper = parts.sweeper
        self._changes = Changes()
        with self._state.lock:
            self._state.announce(str(getattr(state, "mapping_uuid", None)))
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
        return self._state.lock

    def process_result(self, result: Any, parameters: Mapping[str, Any] | None = None) -> None:
        """Add what a worker returned for one event."""
        self._update_settings(parameters)
        for sent in result.payload:
            batch, darks = sent.without_darks()
            with self._state.lock:
                try:
                    if self._state.add_batch(batch) is not None:
                        for frame in darks:
                            self._darks.add_frame(frame)
                except Exception as error:
                    logger.exception("event %d could not be reduced", batch.event)
                    what = f"{type(error).__name__}: {error}"
                    self._state.fail(f"event {batch.event} could not be reduced: {what}", 1)
        # The end event closes files: `finish` may never come.
        self._background.close_files()

    def timer(self, parameters: Mapping[str, Any] | None = None) -> float:
        """Do what need not be done for each result; return when to come again [s]."""
        self._update_settings(parameters)
        self._sweeper.look(parameters, time.monotonic())
        try:
            self._background.do_due_work(time.monotonic())
        except Exception as error:
            logger.exception("the reducer's timer failed")
            self._state.fail(f"reducer timer: {type(error).__name__}: {error}")
        return TIMER_INTERVAL

    def close(self, context: Mapping[str, Any] | None = None) -> None:
        """Save what is not saved; called when the process ends."""
        self._background.close()

    def _update_settings(self, parameters: Mapping[str, Any] | None) -> None:
        if not parameters:
            return
        state = self._state
        with state.lock:
            if not self._changes.take(parameters):
                return
            data = parameter_bytes(parameters)
            if data == state.parameter_data:
                return
            settings, refused = settings_from_bytes(data, state.settings)
            state.parameter_data = data
            state.update_settings(settings)
            self._darks.follow(settings.requested_dark)
            for error in refused:
                state.fail(error)


def compile_kernels() -> None:
    """Compile what is done with sums and images; seconds at the very first time on a machine."""
    growing_sum.warm_up()
    binning.warm_up()
    roi_statistics.warm_up_for_images()


@cache
def _warm_up() -> None:
    """Compile beside the start-up."""
    threading.Thread(target=compile_kernels, name="femtomax-warm-up").start()
