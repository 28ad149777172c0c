"""The map step: what happens to one event in a worker."""

from pipeline.worker.femtomax_worker import FemtomaxWorker

__all__ = ["FemtomaxWorker"]
