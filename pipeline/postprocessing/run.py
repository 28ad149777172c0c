"""Process one series: blocks to the pool, their batches to the journal and the reducer."""

import hashlib
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.model.parameters import Settings
from pipeline.postprocessing.block import Block, batches
from pipeline.postprocessing.errors import BadOutput, BadRawFile
from pipeline.postprocessing.eta_list import correct_list
from pipeline.postprocessing.fold import Fold, forced
from pipeline.postprocessing.outputs import Outputs, check_photons, new_outputs
from pipeline.postprocessing.pool import Pool
from pipeline.postprocessing.results import Results, write_results
from pipeline.postprocessing.run_state import RunState
from pipeline.postprocessing.settings_source import settings_from
from pipeline.postprocessing.source import Source, file_identity
from pipeline.protocols.snapshot import Published
from pipeline.reducer.journal_content import BadContent

UNFINISHED = "_unfinished"


@dataclass(frozen=True)
class Outcome:
    """What a series gave, in numbers."""

    outputs: Outputs
    frames: int
    """Whose results are in."""
    summed: int
    """In the sum."""
    photons: int | None
    """None: none were searched."""
    skipped: int
    """Frames too dense for photons."""
    failed: int
    """Frames that could not be used."""
    last_error: str
    changed: bool = False
    """The raw file changed while it was read."""
    eta: str = ""
    """What the eta correction did; empty: none was wanted."""


def run_folder(folder: Path, source: Source) -> Path:
    """Return where the state of a run stands until it is done."""
    what = f"{source.raw} {source.stream} {source.part}"
    digest = hashlib.sha256("\0".join([what, *source.files]).encode()).hexdigest()[:8]
    return folder / f"{source.name}-{digest}{UNFINISHED}"


class Run:
    """Processes one series.

    Args:
        source: the series.
        settings: of all frames.
        folder: for the results; it is there.
        complete: fills in what the settings leave to the frames, before the first one is processed.
        eta: positions are corrected within their pixels at the end.
    """

    def __init__(
        self,
        source: Source,
        settings: Settings,
        folder: Path,
        complete: Callable[[Settings], Settings] = lambda settings: settings,
        eta: bool = False,
    ) -> None:
        self._source = source
        self._settings = forced(settings)
        self._complete = complete
        self._eta = eta
        self._folder = folder
        self.state = RunState(run_folder(folder, source))
        self._before = [file_identity(path) for path in source.files]

    def process(
        self,
        pool: Pool,
        resume: bool = False,
        progress: Callable[[int], None] = lambda _: None,
        report: Callable[[Results, Outputs], None] | None = None,
    ) -> Outcome:
        """Process the series, or what is left of it.

        Args:
            pool: does the work.
            resume: go on with a run that was interrupted, if there is one.
            progress: called with the number of events that are done.
            report: makes a page of the results.

        Raises:
            ProcessingError: it could not be done; what is done so far is kept.
        """
        try:
            outputs = self._begin(resume)
            if self.state.outcome is not None:
                progress(self._source.events)
                return outcome_from(self.state.outcome)
            results = self._fold(pool, outputs, progress)
            eta = correct_list(Path(outputs.photons)) if self._eta and outputs.photons else ""
            if not Path(outputs.results).exists():
                write_results(Path(outputs.results), results)
            if report is not None:
                report(results, outputs)
            outcome = self._outcome(outputs, results.published, eta)
            self.state.finish(asdict(outcome))
            return outcome
        finally:
            self.state.close()

    def _begin(self, resume: bool) -> Outputs:
        about = {"what": self._identity(), "settings": self._settings.values()}
        if self.state.exists and not resume:
            raise BadOutput(
                f"A run over {self._source.raw} is not finished: go on with --resume, or delete "
                f"{self.state.folder} to begin anew."
            )
        if self.state.exists:
            self.state.read()
            _compare(self.state.about, about, self.state.folder)
            self._settings = settings_from(self.state.about["used"], str(self.state.folder))
            outputs = Outputs.from_dict(self.state.about["outputs"])
            done = self.state.outcome is not None
            if done or check_photons(outputs, *self._photon_file()):
                return outputs
            raise BadOutput(
                f"photon file {outputs.photons} was damaged since the run was interrupted: delete "
                f"{self.state.folder}, then process the file again from its start."
            )
        self._settings = self._complete(self._settings)
        about["used"] = self._settings.values()
        raw, stream, settings = self._photon_file()
        outputs = new_outputs(self._folder, self._source.name, raw, stream, settings)
        about = {**about, "outputs": asdict(outputs), "mapping": f"process-{uuid.uuid4()}"}
        try:
            self.state.begin(about)
        except BadOutput:
            # Nobody would ever continue it.
            if outputs.photons:
                Path(outputs.photons).unlink(missing_ok=True)
            raise
        return outputs

    def _identity(self) -> dict[str, Any]:
        """Return what must be the same for a run to go on."""
        matched = self._settings.matched
        given = "" if matched is None else matched.calibration
        calibration = file_identity(given) if given else []
        return {**self._source.identity(), "calibration": calibration, "eta": self._eta}

    def _photon_file(self) -> tuple[str, str, Settings]:
        return self._source.raw, self._source.stream, self._settings

    def _fold(self, pool: Pool, outputs: Outputs, progress: Callable[[int], None]) -> Results:
        mapping = str(self.state.about["mapping"])
        fold = Fold(mapping, self._settings, outputs.photons)
        events = done = 0
        try:
            for index, result in self.state.blocks():
                if index != done:
                    raise BadContent(f"block {done} is missing")
                taken = batches(result)
                fold.add(taken)
                done, events = done + 1, events + len(taken)
                progress(events)

            def note(block: Block) -> None:
                nonlocal events
                events += len(block.events)
                progress(events)

            for block, result in pool.process(
                self._source.blocks(mapping, self._settings, done), note
            ):
                self.state.add_block(block.index, result)
                fold.add(batches(result))
            published = fold.finish()
            return Results(
                published=published,
                settings=self._settings,
                stream=self._source.stream,
                shape=self._source.shape,
                raw=self._source.raw,
                frame_numbers=fold.frame_numbers(self._source.stream),
            )
        except BadContent as error:
            raise BadOutput(
                f"{self.state.folder} cannot be used ({error}): delete it, then process the file "
                "again from its start."
            ) from error
        finally:
            fold.close()

    def _outcome(self, outputs: Outputs, published: Published, eta: str) -> Outcome:
        return Outcome(
            outputs=outputs,
            frames=published.scan.frames,
            summed=published.shown.accumulated_number,
            photons=published.photons.count,
            skipped=published.photons.skipped_frames or 0,
            failed=published.health.failed_frames,
            last_error=published.health.last_error,
            changed=self._changed(),
            eta=eta,
        )

    def _changed(self) -> bool:
        try:
            return self._before != [file_identity(path) for path in self._source.files]
        except OSError as error:
            raise BadRawFile(f"{error.filename} was taken away while it was read.") from error


def outcome_from(values: Mapping[str, Any]) -> Outcome:
    """Return what `asdict` gave."""
    return Outcome(**{**values, "outputs": Outputs.from_dict(values["outputs"])})


def _compare(before: Mapping[str, Any], now: Mapping[str, Any], folder: Path) -> None:
    """Refuse to go on with other files or settings.

    Raises:
        BadOutput: something is different.
    """
    for what, old in (("what", before["what"]), ("settings", before["settings"])):
        for name, value in now[what].items():
            if old.get(name) != value:
                raise BadOutput(
                    f"The run that was interrupted had {name} = {_short(old.get(name))}, now it is "
                    f"{_short(value)}: give what it had, or delete {folder} to begin anew."
                )


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 200 else f"{text[:200]}…"
