"""The child process of `femtotango replay`: dranspose's replay, and the routes that a device needs.

dranspose's replay serves results and parameters. A device also asks a controller for its services
and for the progress of the scan, so this module answers these two as well. Frames start with
``POST /api/v1/replay/start``.
"""

import argparse
import difflib
import itertools
import json
import logging
import pickle
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from dranspose.event import InternalWorkerMessage
from dranspose.helpers.utils import import_class
from dranspose.replay import get_internals, get_parameters, reducer_app, replay

from pipeline.model.old_parameters import OLD_PARAMETERS, with_new_names
from pipeline.model.parameter import ParameterError

_NO_HASH = ""
"""dranspose's replay has no hash of its parameters; equal hashes mean that all services agree."""

_OF_DRANSPOSE = "dump_prefix"
"""A parameter of the controller itself; every parameter file that dranspose dumps has it."""


class Recording:
    """Recorded streams, and how many of their events have been processed."""

    def __init__(self, files: Sequence[Path]) -> None:
        """Count the events in the files.

        Raises:
            SystemExit: a file is no recording, or is empty.
        """
        self._files = files
        self.total = len(set(itertools.chain.from_iterable(map(_event_numbers, files))))
        self._completed: set[int] = set()

    @property
    def completed(self) -> int:
        """Number of events that have been processed."""
        return len(self._completed)

    def get_source_generators(self) -> list[Iterator[InternalWorkerMessage]]:
        """Return the messages of each file; dranspose calls it by this name."""
        return [self._messages(file) for file in self._files]

    def _messages(self, file: Path) -> Iterator[InternalWorkerMessage]:
        for message in get_internals(file):
            yield message
            # dranspose asks for the next message when the event of this one is done
            self._completed.add(message.event_number)


def _event_numbers(file: Path) -> set[int]:
    try:
        numbers = {int(message.event_number) for message in get_internals(file)}
    except Exception as error:
        raise SystemExit(
            f"{file} is no recording of a dranspose ingester, cbors, cbors.gz or pkls "
            f"({type(error).__name__}: {error})."
        ) from error
    if not numbers:
        raise SystemExit(f"{file} holds no events.")
    return numbers


def recording() -> Recording:
    """Return the recording that is replayed; dranspose calls it by this name."""
    return reducer_app.state.recording


class ControllerRoutes:
    """The part of a controller's HTTP interface that dranspose's replay does not have."""

    def __init__(self, recording: Recording) -> None:
        self.start = threading.Event()
        self.done = threading.Event()
        self._recording = recording
        self._service = str(uuid4())

    def config(self) -> dict[str, Any]:
        """Answer ``GET /api/v1/config``."""
        parameters = reducer_app.state.parameters
        return {
            "ingesters": [],
            "workers": [],
            "reducer": {
                "service_uuid": self._service,
                "name": "reducer",
                "parameters_hash": _NO_HASH,
            },
            "parameters_version": {name: str(p.uuid) for name, p in parameters.items()},
            "parameters_hash": _NO_HASH,
        }

    def progress(self) -> dict[str, Any]:
        """Answer ``GET /api/v1/progress``."""
        completed = self._recording.total if self.done.is_set() else self._recording.completed
        return {
            "last_assigned": completed,
            "completed_events": completed,
            "total_events": self._recording.total,
            "finished": self.done.is_set(),
        }

    def begin(self) -> None:
        """Answer ``POST /api/v1/replay/start``."""
        self.start.set()

    def add(self) -> None:
        """Add the routes to dranspose's application."""
        routes: Iterable[tuple[str, Callable[[], Any], str]] = (
            ("/api/v1/config", self.config, "GET"),
            ("/api/v1/progress", self.progress, "GET"),
            ("/api/v1/replay/start", self.begin, "POST"),
        )
        for path, answer, method in routes:
            reducer_app.add_api_route(path, answer, methods=[method])


def _given_parameters(path: str) -> dict[str, bytes]:
    """Return what a file says, by name.

    In JSON a value may be text, as dranspose dumps it, or the value itself; a plain object of
    names and values is read too.
    """
    try:
        entries = json.loads(Path(path).read_text("utf8"))
    except ValueError:
        # It may be a pickle, or say better what is wrong with it.
        return {name: p.data for name, p in get_parameters(path, object, object).items()}
    if isinstance(entries, list):
        entries = {entry["name"]: entry["data"] for entry in entries}
    return {
        name: (value if isinstance(value, str) else json.dumps(value)).encode("utf8")
        for name, value in entries.items()
    }


def _checked_parameters(path: str | None, worker: str, reducer: str) -> dict[str, bytes]:
    """Return the parameters of a file by the names that they have now."""
    known = get_parameters(None, import_class(worker), import_class(reducer))
    try:
        given = {} if path is None else _given_parameters(path)
    except Exception as error:
        raise SystemExit(
            f"Parameters {path} cannot be read ({type(error).__name__}: {error}): expected JSON "
            'such as {"accumulate": true, "distance": 0.131}, or a JSON or pickle list of '
            '{"name": …, "data": …}.'
        ) from error
    for name in given:
        if name not in (*known, *OLD_PARAMETERS, _OF_DRANSPOSE):
            close = difflib.get_close_matches(name, known)
            hint = f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(known)}."
            raise SystemExit(f"Parameters {path}: there is no {name!r}; {hint}")
    try:
        return with_new_names(given)
    except ParameterError as error:
        raise SystemExit(f"Parameters {path}: {error}") from error


def main() -> None:
    """Replay files, and serve the results until the process is ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--worker", required=True)
    parser.add_argument("--reducer", required=True)
    parser.add_argument("--parameters")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("files", type=Path, nargs="+")
    options = parser.parse_args()
    given = _checked_parameters(options.parameters, options.worker, options.reducer)
    reducer_app.state.recording = Recording(options.files)
    routes = ControllerRoutes(reducer_app.state.recording)
    routes.add()
    # dranspose's replay logs every request, and a device asks several times a second
    logging.getLogger("uvicorn.access").addFilter(lambda _: False)
    # Without a name, so that nothing is left when this process is killed.
    with tempfile.TemporaryFile() as parameters:
        pickle.dump([{"name": name, "data": data} for name, data in given.items()], parameters)
        parameters.flush()
        replay(
            options.worker,
            options.reducer,
            source="femtotango.commands.replay_app:recording",
            parameter_file=f"/proc/self/fd/{parameters.fileno()}",
            port=options.port,
            stop_event=threading.Event(),
            nworkers=options.workers,
            start_event=routes.start,
            done_event=routes.done,
        )
