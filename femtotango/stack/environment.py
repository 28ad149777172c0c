"""Environment variables of the processes of a stack: threads and memory."""

_THREADS = {
    f"{library}_NUM_THREADS": "1"
    for library in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "NUMBA", "BLOSC")
}
_MEMORY = {
    # page faults of image-sized blocks are the largest single cost: keep the blocks
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "4000000000",
    "MALLOC_TOP_PAD_": "67108864",
}
FRAME_ENVIRONMENT = {**_THREADS, **_MEMORY}
"""Of processes that work on frames."""
