"""In a scan, what the controller is asked for anyway tells who hangs."""

import time
from typing import Any

import pytest

from femtotango.component.vital_signs import VitalSigns
from femtotango.dranspose_client.addresses import Addresses
from femtotango.dranspose_client.services import Config, Service

NOWHERE = "http://127.0.0.1:9"
LONG = 30.0
"""Nothing may be silent for so long in a scan [s]."""


class Posted:
    """The settings' side: what was posted, and when."""

    def __init__(self) -> None:
        self.sent: tuple[tuple[str, float], ...] = ()


def listed(worker: str, ingester: str) -> Config:
    """Return what the controller lists when the parts show these hashes."""
    return Config(
        (Service("ingester", "balor", "i", ingester, "m"),),
        (Service("worker", "w1", "w", worker, "m"),),
        None,
        "",
        {},
    )


@pytest.fixture
def posted() -> Posted:
    return Posted()


@pytest.fixture
def signs(posted: Any):
    signs = VitalSigns(Addresses(NOWHERE, NOWHERE), posted)
    yield signs
    signs.close()


def show(signs: VitalSigns, posted: Posted) -> None:
    """Let a worker stop answering, while the controller lists it for a long time."""
    begin = time.monotonic()
    posted.sent = (("a", begin),)
    signs.see(listed("a", "a"), begin)
    posted.sent += (("b", begin + 1),)
    for n in range(1, int(LONG)):
        signs.see(listed("a", "b"), begin + n)


def test_a_worker_that_takes_nothing_over_hangs(signs, posted):
    signs.watch_scan(True)
    show(signs, posted)
    assert signs.silent_in_scan() == {("w1", "w")}


def test_outside_of_a_scan_nobody_is_watched(signs, posted):
    show(signs, posted)
    signs.watch_scan(True)
    assert not signs.silent_in_scan()
    signs.watch_scan(False)
    assert not signs.silent_in_scan()


def test_who_looks_closely_looks_for_himself(signs, posted):
    signs.watch_scan(True)
    signs.watch_closely(True)
    show(signs, posted)
    assert not signs.silent_in_scan()
