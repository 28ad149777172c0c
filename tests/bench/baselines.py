"""Workers to compare with: one that does nothing, a ladder of ever more work, one of images."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.dranspose_parameters import describe_parameters
from pipeline.model.cameras import Camera
from pipeline.photons.corrections import Levels
from pipeline.protocols.batch import PartialSum
from pipeline.protocols.stins import StinsEnd, StinsFrame, parse
from pipeline.reducer import FemtomaxReducer
from pipeline.worker import FemtomaxWorker
from pipeline.worker.event import EventWork


class EmptyWorker:
    """Takes events and returns nothing: what dranspose itself can carry."""

    def __init__(self, **_: Any) -> None:
        pass

    @staticmethod
    def describe_parameters() -> list[Any]:
        """Return dranspose's description of all parameters."""
        return describe_parameters()

    def process_event(self, event: Any, parameters: Any = None, tick: bool = False) -> None:
        """Return nothing."""


_IMAGE_PARTS = 2
"""Of the message of an image; that of a start or an end has one part."""


class NumberWorker(EmptyWorker):
    """Returns 1 for each frame, without a look at it: what dranspose's way of results costs."""

    def process_event(self, event: Any, parameters: Any = None, tick: bool = False) -> Any:
        """Return the number of frames of the event."""
        return sum(len(data.frames) == _IMAGE_PARTS for data in event.streams.values())


class DecodeWorker(EmptyWorker):
    """Decodes each frame, and returns 1 for it."""

    def process_event(self, event: Any, parameters: Any = None, tick: bool = False) -> Any:
        """Return the number of frames of the event."""
        return sum(isinstance(parse(d.frames), StinsFrame) for d in event.streams.values())


class ReadWorker(EmptyWorker):
    """Also reads each pixel once, as fast as numpy can, and returns 1 for each frame."""

    def process_event(self, event: Any, parameters: Any = None, tick: bool = False) -> Any:
        """Return the number of frames of the event that have a pixel above zero."""
        messages = (parse(data.frames) for data in event.streams.values())
        return sum(bool(m.image.max() > 0) for m in messages if isinstance(m, StinsFrame))


class NumpyWorker(EmptyWorker):
    """Adds the frames of one camera up with plain numpy, returns 1 for each and the sum at last."""

    def __init__(self, **_: Any) -> None:
        self._sum: NDArray[np.float64] | None = None
        self._above: NDArray[Any] | None = None

    def process_event(self, event: Any, parameters: Any = None, tick: bool = False) -> Any:
        """Return 1 for a frame, at the end of the series the sum of its positive pixels."""
        (data,) = event.streams.values()
        message = parse(data.frames)
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


BASELINE_FRAMES = "baseline_frames"
"""Where `NumberReducer` publishes how many frames there were."""
BASELINE_SUM = "baseline_sum"
"""Where it publishes the sum over all pixels of all sums."""


class NumberReducer(FemtomaxReducer):
    """Adds up the numbers and the images of a series that workers of the ladder return."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._frames, self._total = 0, 0.0

    def process_result(self, result: Any, parameters: Mapping[str, Any] | None = None) -> None:
        """Add a number of frames, or a sum of them."""
        if isinstance(result.payload, np.ndarray):
            self._total += float(result.payload.sum())
        else:
            self._frames += result.payload

    @property
    def publish(self) -> dict[str, Any]:
        """The published tree as it stands now."""
        return {**super().publish, BASELINE_FRAMES: self._frames, BASELINE_SUM: self._total}


class _EachImage(EventWork):
    """Sends each frame's image instead of adding it up."""

    def _buffer_frame(self, camera: Camera, message: StinsFrame, unit: str, levels: Levels) -> None:
        image, settings = message.image, self._settings
        self._partials.append(
            PartialSum(
                mapping=self._mapping,
                stream=camera.stream,
                unit=unit,
                shape=(image.shape[0], image.shape[1]),
                accumulate=settings.accumulate,
                accumulation_id=settings.accumulation_id,
                events=(self._event,),
                frames=(message.frame,),
                image=np.where(image < 0, 0, image),
                valid=None,
            )
        )


class ImageWorker(FemtomaxWorker):
    """Sends every image to the reducer, which adds them up: the obvious way."""

    work = _EachImage
