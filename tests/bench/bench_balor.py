"""Balor frames per second with photon finding, from the ZMQ source to the exact FrameCount."""

import statistics
from collections.abc import Sequence
from contextlib import ExitStack

import numpy as np
from feeding import ROUNDS, DeviceStack, EmptyStack, Frames, alternate, whole_frame
from rates import figures, of_empty, rate_table
from section import Section

from pipeline.model.parameters import Settings
from pipeline.model.roi import Roi
from pipeline.photons.detection import clean_pixels, find_photons_with
from pipeline.protocols.batch import PhotonList
from pipeline.simulation.scan import detector_frames

STREAM = "andor3_balor"
_FRAMES = 300
_OF_EMPTY = 0.9
_RATE = 20.0


def found_offline(frames: Frames) -> list[PhotonList]:
    """Return the photons of each image, found in the whole frame with the default settings."""
    ny, nx = frames.images[0].shape
    return [find_photons_with(Settings(), i, Roi(0, 0, nx, ny)).photons for i in frames.images]


def photons_of(found: Sequence[PhotonList], count: int) -> int:
    """Return the number of photons in a series of so many frames."""
    return sum(len(found[n % len(found)]) for n in range(count))


def run() -> Section:
    """Measure photon finding on full frames, beside an empty worker."""
    frames = Frames(list(detector_frames(STREAM, 1, [1.5] * 8)))
    ny, nx = frames.images[0].shape
    with ExitStack() as exit_stack:
        ours = DeviceStack(STREAM, exit_stack, PhotonRoi=whole_frame(STREAM))
        empty = EmptyStack(STREAM, exit_stack)
        rates = alternate({"empty": (empty, _FRAMES), "ours": (ours, _FRAMES)}, frames, ROUNDS)
        photons = ours.player.read("PhotonCount")
        counts = np.nansum(ours.player.read("AccumulatedImage"), dtype=np.float64)
    rate = statistics.median(rates["ours"])
    text = (
        f"Full frames of {ny}×{nx} uint16 with about {photons / _FRAMES:.0f} photons each, "
        f"{_FRAMES} in a scan, {ROUNDS} scans each in turn, 2 workers; the source runs on the "
        f"same machine. The clean image holds {counts:.0f} counts of {photons} photons.\n\n"
        + rate_table(rates)
    )
    found = found_offline(frames)
    truth = photons_of(found, _FRAMES)
    seen = [len(clean_pixels(p, Settings().view_threshold, (ny, nx))) for p in found]
    drawn = sum(seen[n % len(seen)] for n in range(_FRAMES))
    demands = [
        (f"the photons are those found offline: {photons}", photons == truth),
        (f"so are the counts of the clean image: {counts:.0f}", counts == drawn),
        of_empty(rates, _OF_EMPTY),
        (f"at least {_RATE:g} frames/s: {rate:.1f}", rate >= _RATE),
    ]
    name = "Balor photons"
    return Section("Balor frame rate with photon finding", text, demands, figures(rates, name))
