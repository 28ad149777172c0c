"""The reduce step: sums, scans and files, and the tree that is published."""

from pipeline.reducer.femtomax_reducer import FemtomaxReducer

__all__ = ["FemtomaxReducer"]
