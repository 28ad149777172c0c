"""Eta correction of a finished photon list: learned from the list, and applied to it.

`x` and `y` become the corrected positions; what was found stays as `x_plain` and `y_plain`. The
file is replaced as a whole, so that it has one or the other, whatever is killed.
"""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from pipeline.files.atomic import FileError, replace_file
from pipeline.files.hdf5_append import OLDEST_FORMAT
from pipeline.files.nexus import add_column, add_data, add_group
from pipeline.photons.eta import FEWEST_PHOTONS, EtaAxis, Flatness, flatness, learn_axis
from pipeline.postprocessing.errors import BadOutput

AXES = ("y", "x")
_GROUP = "entry/eta"
_BINS = 50
_LEARNED_FROM = 4_000_000
"""Photons that are enough to learn from."""
ROWS = 4_000_000
"""Read together."""


def plain_name(axis: str) -> str:
    """Return the name of the column with the positions as they were found."""
    return f"{axis}_plain"


@dataclass(frozen=True)
class EtaAxisResult:
    """What a correction learned from half of the photons does to the other half, along one axis.

    The list's own correction, learned from all, makes it flat whatever it is worth.
    """

    before: Flatness
    after: Flatness
    """χ² per bin is 2 where it is right: what was learned scatters as much as the photons do."""


@dataclass(frozen=True)
class EtaResult:
    """What the correction of a list did."""

    axes: Mapping[str, EtaAxisResult]
    photons: int
    """Of the half."""

    @property
    def sentence(self) -> str:
        """What is printed."""
        flat = ", ".join(
            f"{name} {one.before.chi_square:.2f} → {one.after.chi_square:.2f}"
            for name, one in self.axes.items()
        )
        return (
            f"eta: χ² per bin of {self.photons} places within the pixel, learned from as many "
            f"others: {flat} (flat: 2)"
        )


def correct_list(path: Path) -> str:
    """Correct the positions in a finished photon list, once; return what is to be printed.

    Args:
        path: of the list.

    Raises:
        BadOutput: it cannot be read or written.
    """
    try:
        with h5py.File(path, locking=False) as file:
            done, photons = _GROUP in file, file["entry/photons"]
            axes = {} if done else {axis: learned_axis(photons, axis) for axis in AXES}
        if not done:
            replace_file(path, lambda part: _write(path, part, axes))
    except ValueError as error:
        return f"eta: {error} Positions stay as they were found."
    except FileError as error:
        raise BadOutput(f"{error} Make room, then go on with --resume.") from error
    except OSError as error:
        raise BadOutput(f"photon file {path} cannot be read: {error}.") from error
    found = read_eta(path)
    assert found is not None
    return found.sentence


def learned_axis(photons: Any, axis: str, half: bool = False) -> EtaAxis:
    """Learn the correction along one axis from the positions as they were found.

    Args:
        photons: group of the list.
        axis: "y" or "x".
        half: from every second photon only.

    Raises:
        ValueError: there are too few photons.
    """
    rows = len(photons["flags"])
    step = -(-rows // _LEARNED_FROM) or 1
    column = plain_name(axis) if plain_name(axis) in photons else axis
    step, fewest = (2 * step, FEWEST_PHOTONS // 2) if half else (step, FEWEST_PHOTONS)
    parts = [
        position[flags == 0][::step] for position, flags in _parts(photons, rows, column, "flags")
    ]
    return learn_axis(np.concatenate([np.empty(0, np.float32), *parts]), fewest)


def corrected(axis: EtaAxis, position: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return corrected positions as they stand in a list [pixel]."""
    return axis.corrected(position).astype(np.float32)


def read_eta(path: Path) -> EtaResult | None:
    """Return what the correction of a list did; None: it is not corrected."""
    with h5py.File(path, locking=False) as file:
        group: Any = file.get(_GROUP)
        if group is None:
            return None
        axes = {
            axis: EtaAxisResult(
                Flatness(group[f"{axis}_counts_plain"][()]), Flatness(group[f"{axis}_counts"][()])
            )
            for axis in AXES
        }
        return EtaResult(axes, int(axes[AXES[0]].before.counts.sum()))


def _write(path: Path, part: Path, axes: Mapping[str, EtaAxis]) -> None:
    shutil.copyfile(path, part)
    with h5py.File(part, "r+", libver=OLDEST_FORMAT) as file:
        photons: Any = file["entry/photons"]
        entry: Any = file["entry"]
        group = add_group(entry, "eta", "NXcollection")
        rows = len(photons["flags"])
        for name, axis in axes.items():
            found = photons[name]
            meaning = f"{found.attrs['long_name']}, as it was found"
            found.attrs["long_name"] = f"{name} with eta correction, pixel centres are whole"
            of_half = learned_axis(photons, name, half=True)
            plain = add_column(
                photons, plain_name(name), found.dtype, found.chunks[0], "pixel", long_name=meaning
            )
            plain.resize((rows,))
            before, after = np.zeros(_BINS, np.int64), np.zeros(_BINS, np.int64)
            first = 0
            for position, flags in _parts(photons, rows, name, "flags"):
                stop = first + len(position)
                others = position[flags == 0][1::2]
                before += flatness(others, _BINS).counts
                after += flatness(of_half.corrected(others), _BINS).counts
                plain[first:stop], found[first:stop] = position, corrected(axis, position)
                first = stop
            add_data(group, f"{name}_place", axis.place, "pixel", long_name="place as it was found")
            add_data(group, f"{name}_share", axis.share, long_name="share of photons before it")
            add_data(group, f"{name}_counts_plain", before, long_name="photons per bin of a pixel")
            add_data(group, f"{name}_counts", after, long_name="the same with correction")


def _parts(photons: Any, rows: int, *names: str) -> Iterator[tuple[NDArray[Any], ...]]:
    for first in range(0, rows, ROWS):
        yield tuple(photons[name][first : min(rows, first + ROWS)] for name in names)
