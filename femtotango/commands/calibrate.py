"""`femtotango calibrate`: offset, noise and bad pixels of a camera from dark frames."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import h5py
import hdf5plugin  # noqa: F401 - makes bitshuffle-LZ4 known to h5py
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from femtotango.stack.errors import CommandError
from pipeline.files.atomic import FileError
from pipeline.photons.calibration import CalibrationError, Calibrator
from pipeline.photons.calibration_file import write_calibration


def calibrate(dark: Sequence[Path], output: Path, dataset: str, console: Console) -> None:
    """Write the calibration that the dark frames give.

    Args:
        dark: HDF5 files with frames.
        output: file that is written.
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
    path = output
    try:
        for path in dark:
            with h5py.File(path, "r") as file:
                frames = _frames(file, path, dataset)
                label = f"{path.name}: {len(frames)} frames"
                for frame in track(_read(frames), label, len(frames), console=console):
                    calibrator.add_frame(frame)
        found = calibrator.result()
        write_calibration(output, found, [str(path.absolute()) for path in dark])
    except (CalibrationError, FileError) as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"{path}: cannot be read: {error}") from error
    console.print(
        f"{found.frames} frames of {found.shape[0]} x {found.shape[1]} pixels\n"
        f"offset {np.median(found.offset):.2f} ADU, pixels differ by "
        f"{np.std(found.offset[~found.bad]):.2f} ADU rms\n"
        f"noise {found.median_noise:.2f} ADU, 99 % of the pixels below "
        f"{np.quantile(found.noise[~found.bad], 0.99):.2f} ADU\n"
        f"{np.count_nonzero(found.bad)} bad pixels\n"
        f"written to {output}"
    )


def _read(frames: h5py.Dataset) -> Iterator[NDArray]:
    for number in range(len(frames)):
        yield frames[number]


def _frames(file: h5py.File, path: Path, dataset: str) -> h5py.Dataset:
    """Return the dataset of the frames."""
    if dataset:
        found = file.get(dataset)
    else:
        instrument = file.get("entry/instrument")
        cameras = instrument.values() if isinstance(instrument, h5py.Group) else []
        datasets = [one.get("data") for one in cameras if isinstance(one, h5py.Group)]
        datasets = [one for one in datasets if isinstance(one, h5py.Dataset) and one.ndim == 3]
        if len(datasets) > 1:
            names = ", ".join(str(one.name) for one in datasets)
            raise CommandError(
                f"{path} has frames of several cameras, {names}: choose by --dataset."
            )
        found = datasets[0] if datasets else None
    if not isinstance(found, h5py.Dataset) or found.ndim != 3:
        raise CommandError(
            f"{path} has no frames at {dataset or '/entry/instrument/CAMERA/data'}: name the "
            "dataset of shape (frame, y, x) with --dataset."
        )
    return found
