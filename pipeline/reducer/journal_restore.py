"""Make the reducer's state again from a journal: the snapshot, then all that was taken in since."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any

from pipeline.model.parameters import Settings
from pipeline.photons.list_resume import Existing
from pipeline.reducer.growing_sum import Sum
from pipeline.reducer.journal_content import BadContent, load
from pipeline.reducer.journal_entries import Block, Pixels, Snapshot
from pipeline.reducer.notes import (
    Announced,
    BatchTaken,
    Failed,
    GivenUp,
    Note,
    Saved,
    SettingsTaken,
)
from pipeline.reducer.state import ReducerState

_PATIENCE = 8.0
"""Photons come faster than they did at first: their files are waited for, in all so long [s]."""
_SETTINGS = frozenset(field.name for field in fields(Settings))


def restore(entries: Sequence[memoryview]) -> ReducerState:
    """Return the state that the journal tells of.

    Args:
        entries: contents of the journal's entries; the first is a snapshot.

    Raises:
        BadContent: an entry cannot be used.
    """
    if not entries:
        return ReducerState()
    snapshot = load(entries[0], writable=True)
    blocks = [load(entry) for entry in entries[1:]]
    if not isinstance(snapshot, Snapshot) or not all(isinstance(b, Block) for b in blocks):
        raise BadContent("it does not begin with a snapshot, or has more than one")
    state = snapshot.state
    state.photon_files = {mapping: Existing(path) for mapping, path in snapshot.files.items()}
    for mapping, existing in _photon_files(blocks):
        known = state.photon_files.get(mapping)
        if known is None or not known.path:
            state.photon_files = {**state.photon_files, mapping: existing}
    for scan in state.scans():
        if scan.mapping in state.photon_files:
            scan.expect(state.photon_files[scan.mapping])
    saved = {total.number: total.saved_count for total in _sums(state, snapshot.unsaved)}
    until = time.monotonic() + _PATIENCE
    for block in blocks:
        for note in block.notes:
            _apply(state, note, saved)
            for scan in state.scans():
                if scan.photons is not None:
                    scan.photons.make_room(max(0.0, until - time.monotonic()))
        sums = {total.number: total for total in _sums(state, snapshot.unsaved)}
        for pixels in block.pixels:
            _add(sums[pixels.number], pixels)
    state.go_on(snapshot.unsaved, saved)
    return state


def _photon_files(blocks: Sequence[Block]) -> Iterator[tuple[str, Existing]]:
    """Say which trigger maps have a photon file, or may have one that was not noted in time."""
    for block in blocks:
        for mapping, path in block.files.items():
            yield mapping, Existing(path)
    seen: set[str] = set()
    for block in blocks:
        for note in block.notes:
            if isinstance(note, BatchTaken):
                mapping, result = note.batch.mapping, note.batch.result
                begins = bool(result.starts or result.frames)
            else:
                mapping, begins = getattr(note, "mapping", ""), isinstance(note, Announced)
            if begins and mapping not in seen and isinstance(note, BatchTaken | Announced):
                seen.add(mapping)
                yield mapping, Existing(since=note.time)


def _sums(state: ReducerState, unsaved: Sequence[Sum]) -> Iterator[Sum]:
    yield from unsaved
    yield from state.accumulation.ended
    yield from state.accumulation.growing


def _apply(state: ReducerState, note: Note, saved: dict[int, int]) -> None:
    match note:
        case Announced(mapping):
            state.announce(mapping)
        case SettingsTaken(values):
            known: dict[str, Any] = {n: v for n, v in values.items() if n in _SETTINGS}
            state.update_settings(Settings(**known))
        case Failed(error, frames):
            state.fail(error, frames)
        case GivenUp(mapping, until):
            state.give_up(mapping, until)
        case Saved(number, count):
            saved[number] = count
        case BatchTaken(batch, sums, time):
            if state.add_batch(batch) != sums:
                raise BadContent("its partial sums went elsewhere than before")
            if batch.result.frames:
                state.health.last_frame_time = time


def _add(total: Sum, pixels: Pixels) -> None:
    for image in pixels.sparse:
        total.add_pixels(image)
    if pixels.dense is not None:
        total.add_pixels(pixels.dense)
    if pixels.seen is not None:
        total.add_seen(pixels.seen)
