"""Post-processing: what a second core brings, and what reading costs beside hdf5plugin."""

import os

from bench.processing import process_rows
from section import Section, markdown_table

_MIN_SPEED_UP, _MIN_READING = 1.7, 0.7


def run() -> Section:
    """Measure `femtotango process` on bslz4 files of full frames."""
    rows = process_rows()
    head = ["camera", "1 process [1/s]", "2 processes [1/s]", "speed-up", "hdf5plugin alone [1/s]"]
    cells = [
        [row.stream, f"{row.one:.0f}", f"{row.two:.0f}", f"{row.speed_up:.2f}", f"{row.plain:.0f}"]
        for row in rows
    ]
    text = (
        "Full frames from bslz4 files in the page cache through all of `femtotango process`: with "
        "photons (Balor) or sums, and the journal; without its start and the file of results, "
        "which is written once. hdf5plugin decompresses the same frames in one process and does "
        "nothing with them.\n\n" + markdown_table(head, cells)
    )
    balor = next(row for row in rows if row.stream == "andor3_balor")
    cores = len(os.sched_getaffinity(0))
    demands = [
        (
            f"Balor, 2 processes on {cores} cores: at least {_MIN_SPEED_UP}× one",
            balor.speed_up >= _MIN_SPEED_UP,
        ),
        (
            f"Balor, one process: at least {_MIN_READING}× hdf5plugin alone",
            balor.one >= _MIN_READING * balor.plain,
        ),
    ]
    return Section("Post-processing", text, demands)
