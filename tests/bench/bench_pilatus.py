"""Pilatus frames per second from the ZMQ source to the exact FrameCount of the Tango device."""

from contextlib import ExitStack

from feeding import ROUNDS, DeviceStack, EmptyStack, Frames, alternate, ratio
from rates import figures, of_empty, rate_table
from section import Section

from pipeline.simulation.scan import detector_frames

STREAM = "pilatus"
_FRAMES = 2000
_OF_EMPTY = 0.85
_OF_IMAGES = 2.2
_WITH_JOURNAL = 0.95


def run() -> Section:
    """Measure summing, beside an empty worker and one that sends every image."""
    frames = Frames(list(detector_frames(STREAM, 1, [1.5] * 24)))
    with ExitStack() as exit_stack:
        ours = DeviceStack(STREAM, exit_stack)
        empty = EmptyStack(STREAM, exit_stack)
        journal = DeviceStack(STREAM, exit_stack, journal=True)
        images = DeviceStack(STREAM, exit_stack, "baselines:ImageWorker")
        stacks = {
            "empty": (empty, _FRAMES),
            "ours": (ours, _FRAMES),
            "journal": (journal, _FRAMES),
            "images": (images, _FRAMES),
        }
        rates = alternate(stacks, frames, ROUNDS)
        summed = [s.has_summed({STREAM: frames}, _FRAMES) for s in (ours, journal, images)]
    truth = frames.sum(_FRAMES)
    of_images = ratio(rates["ours"], rates["images"])
    empty_of_images = ratio(rates["empty"], rates["images"])
    with_journal = ratio(rates["journal"], rates["ours"])
    text = (
        f"Frames of 831×1475 float32 are summed, {_FRAMES} in a scan, {ROUNDS} scans "
        "each in turn, 2 workers; the source runs on the same machine.\n\n"
        + rate_table(rates)
        + f"\n\nAn empty worker is {empty_of_images:.2f} times as fast as sending images, so "
        f"{_OF_IMAGES:g} times is {_OF_IMAGES / empty_of_images:.2f} of its rate; femtotango "
        f"reaches {ratio(rates['ours'], rates['empty']):.2f}. Where that share is above 1 nobody "
        "can be so fast; where it is below 1, what is missing is processor time that femtotango "
        "itself takes, step by step below (*Processor time of a shot*)."
    )
    demands = [
        (f"all sums are numpy's: {truth:.1f}", all(summed)),
        of_empty(rates, _OF_EMPTY),
        (
            f"with a journal at least {_WITH_JOURNAL} of that: {with_journal:.2f}",
            with_journal >= _WITH_JOURNAL,
        ),
        (f"at least {_OF_IMAGES:g} times sending images: {of_images:.2f}", of_images >= _OF_IMAGES),
        (
            f"an empty worker too, as a bound for all: {empty_of_images:.2f}",
            empty_of_images >= _OF_IMAGES,
        ),
    ]
    return Section("Pilatus frame rate", text, demands, figures(rates, "Pilatus"))
