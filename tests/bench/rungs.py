"""The workers of the ladder: each does a little more of the work than the one before."""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from baselines import EmptyWorker
from numpy.typing import NDArray

from pipeline.frames.summing import add_cmos, sum_dtype
from pipeline.model.parameters import Settings
from pipeline.model.roi import Roi
from pipeline.photons.detection import find_photons_with
from pipeline.protocols.stins import StinsEnd, StinsFrame, parse
from pipeline.reducer import FemtomaxReducer
from pipeline.worker.masked_pixels import MaskedPixels
from pipeline.worker.together import Together

_IMAGE_PARTS = 2
"""Of the message of an image; that of a start or an end has one part."""


class NumberWorker(EmptyWorker):
    """Returns 1 for each frame, without a look at it: what dranspose's way of results costs."""

    def process_event(self, event: Any, parameters: Any = None, tick: bool = False) -> Any:
        """Return the number of frames of the event."""
        return [sum(self.look(name, data.frames) for name, data in event.streams.items())]

    def look(self, stream: str, parts: Any) -> Any:
        """Return what is sent for one message; of a frame, 1."""
        return len(parts) == _IMAGE_PARTS


class TogetherWorker(NumberWorker):
    """Numbers of fast events travel together, found without a thread, as femtotango's results."""

    results_may_wait = False

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._together = Together()
        self._held: list[Any] = []

    @property
    def results_due(self) -> float | None:
        """Monotonic time at which numbers that wait must be sent [s]; None: none waits."""
        return self._together.due

    def takes_a_moment(self, event: Any, parameters: Any) -> bool:
        """Say that no event needs a thread of its own."""
        return True

    def process_event(self, event: Any, parameters: Any = None, tick: bool = False) -> Any:
        """Return the numbers that are due."""
        messages = [data.frames for data in event.streams.values()]
        self._held += map(self.look, event.streams, messages)
        plain = all(len(parts) == _IMAGE_PARTS for parts in messages)
        may_wait = self.results_may_wait and plain
        if self._together.waits(time.monotonic(), may_wait):
            return None
        return self.send_results()

    def send_results(self) -> list[Any]:
        """Return all numbers that wait."""
        self._together.send()
        held, self._held = self._held, []
        return held


class DecodeWorker(TogetherWorker):
    """Also decodes each frame."""

    def look(self, stream: str, parts: Any) -> Any:
        """Return what is sent for one message."""
        return self.take(stream, parse(parts))

    def take(self, stream: str, message: Any) -> Any:
        """Return what is sent for a decoded message."""
        return isinstance(message, StinsFrame)


class ReadWorker(DecodeWorker):
    """Also reads each pixel once, as fast as numpy can."""

    def take(self, stream: str, message: Any) -> Any:
        """Return 1 for a frame that has a pixel above zero."""
        return isinstance(message, StinsFrame) and int(message.image.max() > 0)


class PhotonWorker(DecodeWorker):
    """Finds the photons of each frame instead, and throws them away."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._settings = Settings()

    def take(self, stream: str, message: Any) -> Any:
        """Return 1 for a frame that has a photon."""
        if not isinstance(message, StinsFrame):
            return 0
        ny, nx = message.image.shape
        found = find_photons_with(self._settings, message.image, Roi(0, 0, nx, ny))
        return int(found.photons.x.size > 0)


class AddWorker(DecodeWorker):
    """Adds the frames of each camera up with femtotango's kernels, and sends the sums at last."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._settings = Settings()
        self._masked = MaskedPixels()
        self._sums: dict[str, NDArray[Any]] = {}

    def take(self, stream: str, message: Any) -> Any:
        """Return 1 for a frame, at the end of the series its sum."""
        if isinstance(message, StinsEnd):
            return self._sums.get(stream, 0)
        if not isinstance(message, StinsFrame):
            return 0
        image = message.image
        total = self._sums.get(stream)
        if total is None:
            total = self._sums[stream] = np.zeros(image.shape, sum_dtype(image.dtype))
        if image.dtype.kind == "f":
            self._masked.add_frame(total, image)
        else:
            add_cmos(total, image, self._settings.background, self._settings.cmos_threshold)
        return 1


class NumpyWorker(DecodeWorker):
    """Adds the frames of one camera up with plain numpy instead, and sends the sum at last."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._sum: NDArray[np.float64] | None = None
        self._above: NDArray[Any] | None = None

    def take(self, stream: str, message: Any) -> Any:
        """Return 1 for a frame, at the end of the series the sum of its positive pixels."""
        if isinstance(message, StinsEnd):
            return self._sum
        if not isinstance(message, StinsFrame):
            return 0
        if self._sum is None or self._above is None:
            self._sum = np.zeros(message.image.shape)
            self._above = np.empty_like(message.image)
        np.maximum(message.image, 0, out=self._above)
        self._sum += self._above
        return 1


RUNG_FRAMES = "rung_frames"
"""Where `NumberReducer` publishes how many frames there were."""
RUNG_SUM = "rung_sum"
"""Where it publishes the sum over all pixels of all sums."""


class NumberReducer(FemtomaxReducer):
    """Adds up the numbers and the images of a series that workers of the ladder return."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._frames, self._total = 0, 0.0

    def process_result(self, result: Any, parameters: Mapping[str, Any] | None = None) -> None:
        """Add numbers of frames, and sums of them."""
        for one in result.payload:
            if isinstance(one, np.ndarray):
                self._total += float(one.sum())
            else:
                self._frames += int(one)

    @property
    def publish(self) -> dict[str, Any]:
        """The published tree as it stands now."""
        return {**super().publish, RUNG_FRAMES: self._frames, RUNG_SUM: self._total}
