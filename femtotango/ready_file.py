"""The ready file of `femtotango up`: where a running stack can be reached, as JSON."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.protocols.sardana import SARDANA


class ReadyFileError(ValueError):
    """A ready file that cannot be used; the text says what is wrong with it and what to do."""


@dataclass(frozen=True)
class Ready:
    """What the file says to those who send to a stack, or configure Sardana for it."""

    path: Path
    """Of the file."""
    device: str
    """Tango address; empty: the stack runs no device."""
    sardana: str
    """URL of the Sardana ingester; empty: there is none."""
    streams: Mapping[str, str]
    """Where each detector sends."""

    def address_of(self, stream: str) -> str:
        """Return where a detector sends, or ``sardana``.

        Raises:
            ReadyFileError: the stack takes nothing of it.
        """
        there = {**self.streams, SARDANA: self.sardana}
        address = there.get(stream, "")
        if not address:
            known = ", ".join(name for name, url in there.items() if url)
            raise ReadyFileError(
                f"Stream {stream!r}: the stack of {self.path} takes nothing of it: use {known}, or "
                "start femtotango up with a --config that has it."
            )
        return address


def read_ready_file(path: Path) -> Ready:
    """Read what `femtotango up --ready-file` has written.

    Raises:
        ReadyFileError: the file is not there yet, or was not written by `femtotango up`.
    """
    cure = f"Start `femtotango up --ready-file {path}`, and wait until it is ready."
    try:
        info = json.loads(path.read_text())
    except OSError as error:
        raise ReadyFileError(
            f"{path}: no stack is ready there ({error.strerror}). {cure}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise ReadyFileError(f"{path} is no ready file: {error}. {cure}") from error
    wrong = _wrong(info)
    if wrong:
        raise ReadyFileError(f"{path} is no ready file: {wrong}. {cure}")
    return Ready(path, info["device"], info["sardana"], info["streams"])


def _wrong(info: Any) -> str:
    """Say what is wrong with the content; empty: nothing is."""
    if not isinstance(info, dict):
        return f"it holds {str(info)[:40]!r} instead of addresses by name"
    for name in ("device", "sardana"):
        if not isinstance(info.get(name), str):
            return f"{name!r} is {info.get(name)!r:.40} instead of an address"
    streams = info.get("streams")
    if not isinstance(streams, dict) or not all(isinstance(url, str) for url in streams.values()):
        return f"'streams' is {streams!r:.40} instead of addresses by stream"
    return ""
