"""`femtotango verify`: is a photon file what its raw file gives?"""

from contextlib import closing
from pathlib import Path

from rich.console import Console

from femtotango.commands.process import CommandFailed, plain_errors, progress_bar, say
from femtotango.commands.up import stop_on_signals
from femtotango.stack.environment import FRAME_ENVIRONMENT
from pipeline.postprocessing.command import processes
from pipeline.postprocessing.photon_list import PhotonListFile
from pipeline.postprocessing.pool import Pool
from pipeline.postprocessing.verify import Verdict, find_series
from pipeline.postprocessing.verify import verify as compare

DIFFERENT = 1
"""Exit code: the file is not what the raw file gives."""


def verify(xye: Path, raw: Path | None, dataset: str, jobs: int, console: Console) -> None:
    """Compare a photon file with its raw file, and say what is proven.

    Raises:
        CommandFailed: they differ, or cannot be compared.
    """
    with plain_errors(), closing(PhotonListFile(xye)) as file:
        series = find_series(file, raw, dataset)
        for note in series.notes:
            say(console, note)
        stop = stop_on_signals()
        with Pool(processes(jobs), stop, FRAME_ENVIRONMENT) as pool, progress_bar(console) as bar:
            task = bar.add_task(xye.name, total=len(series.frames))
            verdict = compare(file, series, pool, lambda done: bar.update(task, completed=done))
    _show(console, verdict)
    if not verdict.same:
        raise CommandFailed(f"{xye} is not exactly what {verdict.raw} gives.", DIFFERENT)


def _show(console: Console, verdict: Verdict) -> None:
    for text in (*verdict.problems, *verdict.details):
        say(console, f"  {text}")
    if verdict.differ.count > len(verdict.details):
        say(console, f"  … and {verdict.differ.count - len(verdict.details)} more frames")
    if not verdict.complete:
        say(console, "The file is not complete: its writer was stopped, or still writes it.")
    say(console, f"proven   frames {verdict.proven.text() or 'none'} ({verdict.photons} photons)")
    if verdict.differ:
        say(console, f"differ   frames {verdict.differ.text()}")
    if verdict.missing:
        say(console, f"missing  frames {verdict.missing.text()} (in the raw file alone)")
    if verdict.not_saved:
        say(console, f"nowhere  frames {verdict.not_saved.text()} (never came, or not saved)")
