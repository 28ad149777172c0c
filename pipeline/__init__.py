"""The analysis: what dranspose workers and reducer run; knows nothing of Tango."""
