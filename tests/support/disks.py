"""Disks that are small, or that hang; those to mount need root, and loop devices to hang."""

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class NoDisk(Exception):
    """This machine lets nobody mount such a disk."""


@contextmanager
def small_disk(folder: Path, megabytes: int = 4) -> Iterator[None]:
    """Mount a disk of a few MB in memory at an empty folder.

    Raises:
        NoDisk: it cannot be mounted here.
    """
    with _mounted(folder, "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs"):
        yield


@contextmanager
def disk_that_can_hang(folder: Path, megabytes: int = 32) -> Iterator[None]:
    """Mount an ext4 disk at an empty folder; `hanging` lets it hang.

    Raises:
        NoDisk: it cannot be made or mounted here.
    """
    image = folder.with_name(f"{folder.name}.img")
    with image.open("wb") as file:
        file.truncate(megabytes << 20)
    _run("mkfs.ext4", "-q", "-F", str(image))
    with _mounted(folder, "-o", "loop", str(image)):
        yield
    image.unlink()


@contextmanager
def hanging(folder: Path) -> Iterator[None]:
    """Let whoever writes to the disk at a folder wait until the block is left."""
    _run("fsfreeze", "--freeze", str(folder))
    try:
        yield
    finally:
        _run("fsfreeze", "--unfreeze", str(folder))


def wait_at_fsync(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Let this process wait for its disk at each fsync until the event is set."""
    go_on = threading.Event()
    fsync = os.fsync

    def slow(fd: int) -> None:
        assert go_on.wait(60)
        fsync(fd)

    monkeypatch.setattr(os, "fsync", slow)
    return go_on


@contextmanager
def _mounted(folder: Path, *what: str) -> Iterator[None]:
    folder.mkdir(exist_ok=True)
    _run("mount", *what, str(folder))
    try:
        yield
    finally:
        _run("umount", "-l", str(folder))


def _run(*command: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise NoDisk(f"{command[0]} is not installed.") from error
    except subprocess.CalledProcessError as error:
        raise NoDisk(f"{' '.join(command)}: {error.stderr.strip()}") from error
