"""Workers to compare with: one that does nothing, and one that sends every image."""

from typing import Any

import numpy as np

from pipeline.dranspose_parameters import describe_parameters
from pipeline.protocols.batch import PartialSum
from pipeline.protocols.stins import StinsFrame
from pipeline.worker import FemtomaxWorker
from pipeline.worker.event import EventWork
from pipeline.worker.frame_plan import FramePlan


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


class _EachImage(EventWork):
    """Sends each frame's image instead of adding it up."""

    def _buffer_frame(self, plan: FramePlan, message: StinsFrame) -> None:
        image, settings = message.image, plan.settings
        self._partials.append(
            PartialSum(
                mapping=self._mapping,
                stream=plan.key.stream,
                unit=plan.key.unit,
                shape=plan.key.shape,
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
