"""Processes that work on blocks; one that dies is replaced, and its block is worked on again."""

import contextlib
import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import TracebackType

from pipeline.postprocessing.block import Block, BlockWork
from pipeline.postprocessing.errors import BadRawFile, ProcessingError, Stopped, WorkerLost

_AHEAD = 2
"""Blocks for each process that may be begun while an earlier one is not done."""
_MAX_DEATHS = 3
"""A block that costs more processes than this is given up, and the run with it."""
_POLL = 0.2
"""How often it is looked whether somebody asked to stop [s]."""
_SPAWN = multiprocessing.get_context("spawn")


@dataclass
class _Member:
    """One process, and the block that it works on."""

    process: BaseProcess
    connection: Connection
    block: Block | None = None


class Pool:
    """Some processes; for one thread.

    Args:
        jobs: number of processes.
        stop: set when the work is to end.
        environment: what they need beside the environment of this process.
    """

    def __init__(
        self, jobs: int, stop: threading.Event, environment: Mapping[str, str] | None = None
    ) -> None:
        self._stop = stop
        self._environment = dict(environment or {})
        self._members: list[_Member] = []
        self._jobs = jobs
        self.deaths = 0
        """Processes that died and were replaced."""

    def __enter__(self) -> "Pool":
        try:
            self._members = [self._start() for _ in range(self._jobs)]
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    @property
    def pids(self) -> list[int]:
        """Of the processes."""
        return [member.process.pid or 0 for member in self._members]

    def process(
        self, blocks: Iterable[Block], done: Callable[[Block], None] = lambda _: None
    ) -> Iterator[tuple[Block, bytes]]:
        """Work on blocks.

        Args:
            blocks: taken one after the other, only as many ahead as there are processes for.
            done: called as soon as a block's results are there.

        Yields:
            Each block with its pickled batches, in the order of the blocks.

        Raises:
            Stopped: somebody asked to stop.
            WorkerLost: a block costs one process after the other.
            BadRawFile: a file cannot be read any more.
        """
        source = iter(blocks)
        again: list[Block] = []
        order: list[Block] = []
        results: dict[int, bytes] = {}
        deaths: dict[int, int] = {}
        left = True
        while left or order:
            for member in self._members:
                if member.block is None and (again or (left and len(order) < self._limit)):
                    if again:
                        self._send(member, again.pop(0))
                    elif (block := next(source, None)) is not None:
                        order.append(block)
                        self._send(member, block)
                    else:
                        left = False
            if order and order[0].index in results:
                block = order.pop(0)
                yield block, results.pop(block.index)
                continue
            if not order:
                continue
            for block, result in self._receive():
                if result is None:
                    deaths[block.index] = deaths.get(block.index, 0) + 1
                    if deaths[block.index] > _MAX_DEATHS:
                        raise WorkerLost(_lost(block))
                    again.append(block)
                else:
                    results[block.index] = result
                    done(block)

    @property
    def _limit(self) -> int:
        return _AHEAD * self._jobs

    def _send(self, member: _Member, block: Block) -> None:
        member.block = block
        # One that is dead is found by `_receive`.
        with contextlib.suppress(OSError):
            member.connection.send(block)

    def _receive(self) -> Iterator[tuple[Block, bytes | None]]:
        """Give what has come; None: the process died."""
        if self._stop.is_set():
            raise Stopped("Stopped.")
        busy = {m.connection: m for m in self._members if m.block is not None}
        for ready in wait(list(busy), _POLL):
            member = busy[ready]  # type: ignore[index]
            block = member.block
            assert block is not None
            try:
                answer = member.connection.recv_bytes()
                ok, result = answer[:1] == b"+", answer[1:]
            except (EOFError, OSError):
                self._replace(member)
                yield block, None
                continue
            member.block = None
            if not ok:
                raise pickle.loads(result)
            yield block, result

    def _replace(self, dead: _Member) -> None:
        self.deaths += 1
        dead.connection.close()
        dead.process.kill()
        dead.process.join()
        self._members[self._members.index(dead)] = self._start()

    def _start(self) -> _Member:
        ours, theirs = _SPAWN.Pipe()
        process = _SPAWN.Process(target=serve, args=(theirs,), daemon=True)
        with _for_children(self._environment):
            process.start()
        theirs.close()
        return _Member(process, ours)

    def _end(self) -> None:
        # They hold nothing that is not here too.
        for member in self._members:
            member.connection.close()
            member.process.kill()
        for member in self._members:
            member.process.join()
        self._members = []


def _lost(block: Block) -> str:
    events = f"{block.events[0].number} to {block.events[-1].number}"
    return (
        f"The process that works on events {events} was killed {_MAX_DEATHS + 1} times: look at "
        "the machine's memory (dmesg), give fewer --jobs, then go on with --resume."
    )


@contextlib.contextmanager
def _for_children(environment: Mapping[str, str]) -> Iterator[None]:
    """Let processes that are started inherit an environment, and no Ctrl-C: that is ours."""
    before = {name: os.environ.get(name) for name in environment}
    main = threading.current_thread() is threading.main_thread()
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN) if main else None
    os.environ.update(environment)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        if main:
            signal.signal(signal.SIGINT, handler)


def serve(connection: Connection) -> None:
    """Work on blocks until nobody sends any more; the main function of each process."""
    work = BlockWork()
    while True:
        try:
            block = connection.recv()
        except (EOFError, OSError):
            return
        try:
            answer = b"+" + work.process(block)
        except BadRawFile as error:
            answer = b"-" + pickle.dumps(error)
        except MemoryError:
            error = ProcessingError("There is not enough memory: give fewer --jobs.")
            answer = b"-" + pickle.dumps(error)
        try:
            connection.send_bytes(answer)
        except OSError:
            return
