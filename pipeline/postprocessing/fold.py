"""The live reducer, fed with the batches of one series in order."""

import time
from collections.abc import Iterable
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray

from pipeline.model.parameters import Settings
from pipeline.photons.list_resume import Existing
from pipeline.postprocessing.block import as_parameters
from pipeline.postprocessing.errors import BadOutput
from pipeline.protocols.batch import Batch
from pipeline.protocols.snapshot import Published
from pipeline.reducer import FemtomaxReducer
from pipeline.reducer.femtomax_reducer import CONTEXT, make_parts
from pipeline.reducer.state import ReducerState

_DISK = 60.0
"""A disk that takes longer than this to write the waiting photons counts as lost [s]."""
_POLL = 0.02


class Fold:
    """Adds batches; for one thread.

    Args:
        mapping: name of the series in the batches.
        settings: of all frames.
        photon_file: which photons are to be appended to; empty: there are none.
    """

    def __init__(self, mapping: str, settings: Settings, photon_file: str = "") -> None:
        files = {mapping: Existing(photon_file)} if photon_file else {}
        self._state = ReducerState(photon_files=files)
        self._parts = make_parts(self._state)
        self._parameters = as_parameters(settings)
        self._reducer = FemtomaxReducer(
            parameters=self._parameters,
            context={CONTEXT: self._parts},
            state=SimpleNamespace(name="process", mapping_uuid=mapping),
        )

    def add(self, batches: Iterable[Batch]) -> None:
        """Add the batches of the next events.

        Raises:
            BadOutput: photons cannot be written.
        """
        self._reducer.process_result(SimpleNamespace(payload=tuple(batches)), self._parameters)
        for scan in self._state.scans():
            if scan.photons is not None:
                scan.photons.make_room(_DISK)
        self._check_photons()

    def finish(self) -> Published:
        """Bring everything to an end, and return the results.

        Raises:
            BadOutput: photons cannot be written.
        """
        until = time.monotonic() + _DISK
        while True:
            self._reducer.timer(self._parameters)
            self._check_photons()
            published = self._parts.publisher.published()
            if published.health.settled or time.monotonic() > until:
                return published
            time.sleep(_POLL)

    def close(self) -> None:
        """Let the photon file be as it is."""
        self._reducer.close()

    def frame_numbers(self, stream: str) -> NDArray[np.float64]:
        """Return the numbers of a camera's frames whose ROI means there are, ``(frame,)``."""
        camera = None if self._state.scan is None else self._state.scan.camera(stream)
        return np.empty(0) if camera is None else camera.axis.frames.x()

    def _check_photons(self) -> None:
        """Look whether the photon file stands; a disk that only is slow is waited for."""
        for scan in self._state.scans():
            photons = scan.photons
            if photons is None or not photons.safety().trouble:
                continue
            if photons.wait(_DISK) and photons.safety().trouble:
                # The rest of the sentence is about a running scan.
                what = photons.safety().trouble.partition(". ")[0]
                raise BadOutput(
                    f"{what}. What is done so far is kept: make room, or fix what is wrong, then "
                    "go on with --resume."
                )


def forced(settings: Settings) -> Settings:
    """Return settings as post-processing needs them: everything is summed, photons are written."""
    return replace(
        settings,
        accumulate=True,
        write_photons=True,
        output_folder="",
        accumulation_id=0,
        # Each camera is processed by itself.
        camera="",
    )
