"""The same frames live, in one process, and from a raw file: for tests that both give the same."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray
from support.dispatch import Dispatch, Stream, parameters
from support.photons import read_columns, read_frames
from support.waiting import wait_for

from pipeline.model.parameters import Settings
from pipeline.model.roi_statistics import STATISTICS
from pipeline.photons.calibration import Calibration
from pipeline.photons.calibration_file import write_calibration
from pipeline.postprocessing.run import Outcome
from pipeline.protocols.stins import Message, stins_series
from pipeline.simulation.balor import stream_balor_frames
from pipeline.simulation.raw_file import write_raw_file

SHAPE = (96, 128)
ROIS = (
    '{"a": {"x": 10, "y": 20, "width": 30, "height": 40},'
    ' "b": {"x": 60, "y": 5, "width": 50, "height": 80}}'
)
GEOMETRY = {
    "photon_energy": 13.5,
    "distance": 0.131,
    "beam_x": 40.5,
    "beam_y": 30.25,
    "azimuthal_bins": 50,
}
STEP_PARTS = ("x", "y", "y_errors", "n", "left_out")
BALOR, ZYLA, PILATUS = "andor3_balor", "andor3_zyla10", "pilatus"
CAMERA = {"save_raw": True, "cooling": {"temperature": -30.5, "on": 1}, "label": "left"}


def settings(stream: str) -> Settings:
    """Return settings with which each part of the analysis has something to do."""
    found = Settings().replaced("rois", ROIS).replaced("accumulate", True)
    for name, value in GEOMETRY.items():
        found = found.replaced(name, value)
    if stream == BALOR:
        region = '{"x": 4, "y": 3, "width": 120, "height": 90}'
        found = found.replaced("photon_roi", region)
    return found


def frames(stream: str, count: int, seed: int = 0) -> list[NDArray[Any]]:
    """Simulate small frames of a camera."""
    rng = np.random.default_rng(seed)
    if stream == BALOR:
        source = stream_balor_frames(rng, SHAPE, 6e-4, hot_pixels=2)
        return [next(source)[0] for _ in range(count)]
    if stream == PILATUS:
        counts = rng.poisson(0.3, (count, *SHAPE)) * rng.choice([4.7, 13.5, 0.1], (count, *SHAPE))
        counts[:, 40:44] = -1
        counts[:, 7, 9] = -2
        return list(counts.round(1).astype(np.float32))
    return list(rng.poisson(110, (count, *SHAPE)).astype(np.uint16))


def raw_file(
    path: Path, stream: str, images: list[NDArray[Any]], compression: str = "bslz4", **more: Any
) -> Path:
    """Write a raw file as the beamline's receiver does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_raw_file(path, stream, stins_series(images, str(path), CAMERA, compression), **more)
    return path


def correction_files(folder: Path) -> tuple[Path, str]:
    """Write a dark level with a noisy pixel, and a mask; return their paths."""
    rng = np.random.default_rng(11)
    noise = np.full(SHAPE, 3, np.float32)
    noise[10, 10] = 50
    offset = rng.normal(100, 2, SHAPE).astype(np.float32)
    write_calibration(folder / "dark.h5", Calibration(offset, noise, noise > 40, 50))
    mask = np.zeros(SHAPE, np.uint8)
    mask[50:54, 20] = 1
    np.save(folder / "mask.npy", mask)
    return folder / "dark.h5", str(folder / "mask.npy")


def write_scan_file(path: Path, positions: list[float], burst: int) -> None:
    """Write a scan as Sardana does."""
    with h5py.File(path, "w") as file:
        entry = file.create_group("entry123")
        title = f"burstscan mot {positions[0]} {positions[-1]} {len(positions) - 1} {burst}"
        entry["title"] = title
        entry["entry_identifier"] = "123"
        measurement = entry.create_group("measurement")
        measurement["mot"] = np.array(positions)
        measurement["i0"] = np.arange(len(positions)) + 0.5
        measurement["point_nb"] = np.arange(len(positions))


@dataclass(frozen=True)
class Numbers:
    """All numbers that a series gives."""

    arrays: dict[str, NDArray[Any]]
    frames: list[tuple[int, int, int]]
    """Rows of the photon file's table of frames."""

    def assert_same(self, other: "Numbers") -> None:
        assert self.arrays.keys() == other.arrays.keys()
        for name, array in self.arrays.items():
            assert array.dtype == other.arrays[name].dtype, name
            np.testing.assert_array_equal(array, other.arrays[name], err_msg=name)
        assert self.frames == other.frames


def live(
    path: Path,
    stream: str,
    images: list[NDArray[Any]],
    records: dict[int, Stream] | None = None,
    changes: dict[int, dict[str, Any]] | None = None,
) -> Numbers:
    """Run the frames through workers and reducer as dranspose does.

    Args:
        path: raw file in the header.
        stream: of the camera.
        images: the frames.
        records: of Sardana, by event.
        changes: of settings, before an event.
    """
    return live_messages(list(stins_series(images, str(path), CAMERA)), stream, records, changes)


def live_messages(
    messages: list[Message],
    stream: str,
    records: dict[int, Stream] | None = None,
    changes: dict[int, dict[str, Any]] | None = None,
) -> Numbers:
    """Run the messages of one series through workers and reducer as dranspose does."""
    run = Dispatch(2)
    run.change(**settings(stream).values())
    extra = records or {}
    for event, message in enumerate(messages):
        run.change(**(changes or {}).get(event, {}))
        streams = {stream: Stream("STINS", message)}
        if event in extra:
            streams["sardana"] = extra[event]
        to = run.to_all if event in (0, len(messages) - 1) else run.to_one
        to(**streams)
        run.deliver(at_most=2)
    run.deliver()

    def settled() -> bool:
        run.reducer.timer(parameters(run.settings[0]))
        return bool(run.published["health"]["settled"])

    wait_for(settled, "files and curve are up to date")
    tree = run.published
    image = np.asarray(tree["image"])
    masked = np.isnan(image)
    arrays = {
        "image": np.where(masked, 0, image).astype(tree["sum_dtype"]),
        "masked": masked,
        "q": tree["azimuthal"]["q"],
        "intensity": tree["azimuthal"]["intensity"],
        "errors": tree["azimuthal"]["intensity_errors"],
    }
    arrays |= {f"roi {name}": np.asarray(tree["roi_means"][name]) for name in ("a", "b")}
    for name, steps in (tree.get("step_means") or {}).items():
        if not name.endswith("_attrs"):
            arrays |= {
                f"{name} {key}": np.asarray(steps[key]) for key in ("x", "y", "y_errors", "n")
            }
    for name in ("a", "b"):
        for one in STATISTICS:
            of_roi = tree["roi_stats"][name][one]
            arrays[f"frames of {name}: {one}"] = np.asarray(of_roi["frames"])
            if "y" in of_roi:
                arrays |= {
                    f"steps of {name}: {one} {key}": np.asarray(of_roi[key]) for key in STEP_PARTS
                }
    photons = tree["photons"].get("filename", "")
    run.reducer.close()
    return _with_photons(arrays, photons)


def processed(outcome: Outcome) -> Numbers:
    """Read what a run has written."""
    with h5py.File(outcome.outputs.results) as file:
        entry = file["entry"]
        image = entry["image/image"][()]
        mask = entry.get("instrument/detector/pixel_mask")
        masked = np.zeros(image.shape, bool) if mask is None else mask[()].astype(bool)
        arrays = {
            "image": np.where(masked, 0, image),
            "masked": masked,
            "q": entry["azimuthal/q"][()],
            "intensity": entry["azimuthal/intensity"][()],
            "errors": entry["azimuthal/intensity_errors"][()],
        }
        arrays |= {f"roi {name}": group["mean"][()] for name, group in entry["roi_means"].items()}
        for name, group in entry.get("step_means", {}).items():
            arrays |= {f"{name} {key}": group[key][()] for key in ("x", "y", "y_errors", "n")}
        for name, group in entry["roi_stats"].items():
            arrays |= {f"frames of {name}: {one}": group[one][()] for one in STATISTICS}
        for name, group in entry.get("step_stats", {}).items():
            for one, data in group.items():
                arrays |= {f"steps of {name}: {one} {key}": data[key][()] for key in STEP_PARTS}
    return _with_photons(arrays, outcome.outputs.photons)


def _with_photons(arrays: dict[str, NDArray[Any]], path: str) -> Numbers:
    if not path:
        return Numbers(arrays, [])
    arrays |= read_columns(path)
    with h5py.File(path) as file:
        arrays["complete"] = np.array(file["entry/complete"][()])
        arrays["histogram"] = file["entry/energy_histogram/counts"][()]
    return Numbers(arrays, read_frames(path))
