"""Ended sums: their files in the output folder."""

import re
from datetime import datetime
from pathlib import Path

from pipeline.files.atomic import resolve_path, save_text
from pipeline.files.nexus_image import ImageRecord, save_image

_MAX_LABEL = 40


def save_sum(folder: str, ended: ImageRecord, now: datetime | None = None) -> Path:
    """Write an ended sum, and the PONI file beside it when the geometry is set.

    The name says detector, time and scans: ``pilatus_20260131-120000_scan17-19.h5``. When there
    is a file of that name, a number is appended.

    Args:
        folder: where; it must exist.
        ended: the sum.
        now: when the sum ended; None: now.

    Returns:
        Path of the NeXus file.

    Raises:
        FileError: a file cannot be written; the text says why and what to do.
    """
    when = (now or datetime.now()).astimezone()
    stem = f"{ended.detector}_{when:%Y%m%d-%H%M%S}_{_scan_label(ended)}"
    path = _free_path(folder, stem)
    save_image(path, ended, when)
    if ended.geometry is not None:
        save_text(path.with_suffix(".poni"), ended.geometry.to_poni())
    return path


def _scan_label(ended: ImageRecord) -> str:
    labels = list(dict.fromkeys(label for label, _ in ended.frames)) or ["none"]
    text = labels[0] if len(labels) == 1 else f"{labels[0]}-{labels[-1]}"
    return "scan" + re.sub(r"[^A-Za-z0-9.-]+", "_", text)[:_MAX_LABEL]


def _free_path(folder: str, stem: str) -> Path:
    path = Path(folder).absolute() / f"{stem}.h5"
    number = 1
    while path.exists() or path.with_suffix(".poni").exists():
        number += 1
        path = path.with_name(f"{stem}_{number}.h5")
    return resolve_path(str(path), folder)
