"""`femtotango process`: raw files and recordings, with what live does."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from femtotango.commands.up import stop_on_signals
from femtotango.stack.environment import FRAME_ENVIRONMENT
from femtotango.stack.errors import CommandError
from pipeline.model.parameters import Settings
from pipeline.postprocessing.command import Request, hint, processes, settings_of, sources
from pipeline.postprocessing.errors import ProcessingError, StillWritten, Stopped
from pipeline.postprocessing.matched_run import completed
from pipeline.postprocessing.outputs import Outputs, output_folder
from pipeline.postprocessing.pool import Pool
from pipeline.postprocessing.results import Results
from pipeline.postprocessing.run import Outcome, Run
from pipeline.postprocessing.source import Source

FRAMES_FAILED = 7
"""Exit code: some frames could not be used."""


class CommandFailed(CommandError):
    """A command that ends with a code of its own."""

    def __init__(self, text: str, exit_code: int) -> None:
        super().__init__(text)
        self.exit_code = exit_code


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn the errors of post-processing into those of commands."""
    try:
        yield
    except ProcessingError as error:
        raise CommandFailed(str(error), error.exit_code) from error


def process(request: Request, console: Console) -> None:
    """Process all series, one after the other.

    Raises:
        CommandFailed: it could not be done, or not in full.
    """
    with plain_errors():
        found = sources(request)
        settings = list(settings_of(request, found))
        runs = [
            _run(source, values, request, console)
            for source, values in zip(found, settings, strict=True)
        ]
        outcomes: list[Outcome] = []
        stop = stop_on_signals()
        with Pool(processes(request.jobs), stop, FRAME_ENVIRONMENT) as pool:
            for source, values, run in zip(found, settings, runs, strict=True):
                for text in (*source.notes, hint(values, source.stream)):
                    if text:
                        say(console, text)
                outcome = _process(run, source, request, pool, console)
                _show(console, outcome)
                outcomes.append(outcome)
        for run in runs:
            run.state.remove()
    _judge(outcomes)


def _run(source: Source, settings: Settings, request: Request, console: Console) -> Run:
    folder = output_folder(source.folder, request.output)

    def complete(values: Settings) -> Settings:
        return completed(values, source, folder, lambda text: say(console, text))

    return Run(source, settings, folder, complete, request.eta)


def _process(run: Run, source: Source, request: Request, pool: Pool, console: Console) -> Outcome:
    # Header and end of the series are no frames.
    frames = source.events - 2
    with progress_bar(console) as bar:
        task = bar.add_task(f"{source.name} ({source.stream})", total=frames)
        try:
            return run.process(
                pool,
                request.resume,
                lambda done: bar.update(task, completed=min(done - 1, frames)),
                save_report if request.plot or request.eta else None,
            )
        except Stopped as error:
            raise Stopped(
                f"Stopped. What is done so far is kept in {run.state.folder}. Give the same "
                "command with --resume to go on."
            ) from error


def save_report(results: Results, outputs: Outputs) -> None:
    """Draw the page; matplotlib is imported only where it is wanted."""
    from pipeline.postprocessing.report import save_report as save

    save(results, outputs)


def progress_bar(console: Console) -> Progress:
    """Return a bar that shows rate and time left."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
        console=console,
    )


class _Rate(ProgressColumn):
    """Frames per second."""

    def render(self, task: Task) -> Text:
        """Return the newest rate."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.1f} frames/s")


def say(console: Console, text: str) -> None:
    """Print a sentence as it is."""
    console.print(text, soft_wrap=True, highlight=False, markup=False)


def _show(console: Console, outcome: Outcome) -> None:
    failed = f", {outcome.failed} failed" if outcome.failed else ""
    say(console, f"  {outcome.frames} frames, {outcome.summed} in the sum{failed}")
    if outcome.photons is not None and outcome.outputs.photons:
        dense = f", {outcome.skipped} frames too dense" if outcome.skipped else ""
        say(console, f"  {outcome.photons} photons{dense}")
        if outcome.eta:
            say(console, f"  {outcome.eta}")
        say(console, f"  photons  {outcome.outputs.photons}")
    say(console, f"  results  {outcome.outputs.results}")
    if Path(outcome.outputs.report).exists():
        say(console, f"  report   {outcome.outputs.report}")


def _judge(outcomes: Sequence[Outcome]) -> None:
    """Say what was not right.

    Raises:
        CommandFailed: something was not.
    """
    if any(outcome.changed for outcome in outcomes):
        raise CommandFailed(
            "A raw file was changed while it was read: only the frames that were there at the "
            "start are in the results. When it is finished, process it again.",
            StillWritten.exit_code,
        )
    failed = sum(outcome.failed for outcome in outcomes)
    if failed:
        error = next(outcome.last_error for outcome in outcomes if outcome.failed)
        raise CommandFailed(
            f"{failed} frames could not be used, the others are in the results. The newest: "
            f"{error}",
            FRAMES_FAILED,
        )
