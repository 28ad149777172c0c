"""`femtotango calibrate`: offset, noise and bad pixels of a camera from dark frames."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console

from femtotango.commands.process import plain_errors, progress_bar, say
from femtotango.stack.errors import CommandError
from pipeline.files.atomic import FileError
from pipeline.photons.calibration import CalibrationError, Calibrator
from pipeline.photons.calibration_file import write_calibration
from pipeline.postprocessing.errors import BadSettings
from pipeline.postprocessing.raw_file import RawSeries, read_series
from pipeline.postprocessing.raw_frame import BadChunk


def calibrate(
    dark: Sequence[Path], output: Path, camera: str, dataset: str, console: Console
) -> None:
    """Write the calibration that the dark frames give.

    Args:
        dark: raw files with frames, as `femtotango process` reads them.
        output: file that is written.
        camera: stream name of the camera; empty: that of the group in the files.
        dataset: path of the frames in the files; empty: where receivers put them.
        console: for what is found.

    Raises:
        CommandError: a file cannot be read or written, or the frames are of no use.
    """
    if output.exists():
        raise CommandError(
            f"{output} exists already; files are never overwritten, give a new name."
        )
    calibrator = Calibrator()
    with plain_errors():
        series = [one for path in dark for one in read_series(path, camera, dataset)]
        _check_camera(series)
        try:
            for one in series:
                _add(calibrator, one, console)
            found = calibrator.result()
            write_calibration(output, found, list(dict.fromkeys(one.raw for one in series)))
        except (CalibrationError, FileError) as error:
            raise CommandError(str(error)) from error
    say(
        console,
        f"{found.frames} frames of {found.shape[0]} x {found.shape[1]} pixels\n"
        f"offset {np.median(found.offset):.2f} ADU, pixels differ by "
        f"{np.std(found.offset[~found.bad]):.2f} ADU rms\n"
        f"noise {found.median_noise:.2f} ADU, 99 % of the pixels below "
        f"{np.quantile(found.noise[~found.bad], 0.99):.2f} ADU\n"
        f"{np.count_nonzero(found.bad)} bad pixels\n"
        f"written to {output}",
    )


def _check_camera(series: Sequence[RawSeries]) -> None:
    """Refuse frames of several cameras.

    Raises:
        BadSettings: there are some.
    """
    streams = list(dict.fromkeys(one.stream for one in series))
    if len(streams) > 1:
        raise BadSettings(
            f"These are frames of several cameras, {', '.join(streams)}: choose one with --camera."
        )


def _add(calibrator: Calibrator, series: RawSeries, console: Console) -> None:
    for note in series.notes:
        say(console, note)
    damaged: list[str] = []
    with progress_bar(console) as bar:
        task = bar.add_task(f"{series.name} ({series.stream})", total=len(series.frames))
        for frame in series.frames:
            try:
                calibrator.add_frame(frame.image())
            except BadChunk as error:
                damaged.append(str(error))
            bar.advance(task)
    if damaged:
        say(console, f"{len(damaged)} frames of {series.raw} are left out: {damaged[0]}")
