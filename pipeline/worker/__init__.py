"""The map step: what happens to one event in a worker."""

from pipeline.worker import dranspose_loop
from pipeline.worker.femtomax_worker import FemtomaxWorker

# dranspose loads this module before its worker takes up work.
dranspose_loop.install()

__all__ = ["FemtomaxWorker"]
