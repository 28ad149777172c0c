"""Each kind of process is killed or stopped: idle, in a scan, between scans."""

import signal
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from support.outcomes import Outcome, Outcomes
from support.repeats import repeats
from support.victim import EXCUSES, NEXT, PARTS, STREAM, Attempts, Detector, Leaks, Victim
from support.waiting import wait_for

from pipeline.simulation.scan import BurstScan

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

LONG = BurstScan(steps=10, burst=6)
"""The scan in which something happens: 2.4 s."""
HIT_AT = 20
"""Frames after which it happens."""
SETTLED = 2.5
"""After so long the journal has all that was summed [s]."""
KILLED, HANGS = "killed", "hangs"
IDLE, IN_SCAN, BETWEEN = "idle", "in a scan", "between scans"

SHORT = [
    ("worker", KILLED, IN_SCAN),
    ("camera ingester", KILLED, IN_SCAN),
    ("reducer", KILLED, IN_SCAN),
    ("device", KILLED, IN_SCAN),
    ("Redis", KILLED, IDLE),
    ("controller", KILLED, BETWEEN),
    ("worker", HANGS, IN_SCAN),
]
"""What each change is tried with; the rest needs half an hour."""
ALL = [
    (part, how, moment)
    for how in (KILLED, HANGS)
    for part in PARTS
    for moment in (IDLE, IN_SCAN, BETWEEN)
]
CASES = ALL if repeats(0, 1) else SHORT


@dataclass
class Seen:
    """What is known of the sum before the fault."""

    count: int
    failed: int
    said: str
    """The newest error then."""
    sent: int = 0
    """Frames of the scan that the fault has hit."""


def files() -> set[str]:
    return {path.name for path in Path(tempfile.gettempdir()).iterdir()}


@pytest.mark.parametrize(("part", "how", "moment"), CASES)
def test_a_process(victim: Victim, outcomes: Outcomes, part: str, how: str, moment: str):
    with victim.player() as player:
        player.write(Accumulate=True)
    attempts = Attempts(victim)
    attempts.until_one_works(time.monotonic())
    leaks = Leaks(victim, files)
    with victim.player() as player:
        seen = Seen(*map(player.read, ("FrameCount", "FailedFrames", "LastError")))
    attempts = Attempts(victim)
    hit, since = do_it(victim, part, how, moment, seen)
    seconds = attempts.until_one_works(since)
    mend(victim, part, how, hit)
    # The reducer hears of a restarted worker with its first scan, and then names what the one
    # before had buffered.
    attempts.until_one_works(time.monotonic())
    check(victim, seen, attempts, outcomes, Outcome(f"{part} {how}", moment, seconds=seconds))
    leaks.check()


def do_it(
    victim: Victim, part: str, how: str, moment: str, seen: Seen
) -> tuple[psutil.Process, float]:
    """Let it happen; return the process, and when that was."""
    hit = victim.process(part)
    if moment == IDLE:
        time.sleep(SETTLED)
    if moment != IN_SCAN:
        return hit, strike(victim, part, how, hit)
    with victim.player() as player:
        player.prepare(STREAM, LONG)
    with Detector(victim.info, LONG) as detector:
        wait_for(lambda: detector.sent >= HIT_AT)
        since = strike(victim, part, how, hit)
        wait_for(lambda: detector.done or given_up(victim, seen.said), "the end of the scan")
    seen.sent = detector.sent
    return hit, since


def given_up(victim: Victim, before: str) -> bool:
    """Tell whether the device has given up the scan; then somebody halts the detector."""
    try:
        with victim.player() as player:
            said = player.read("LastError") or ""
    except EXCUSES:
        return False
    return said != before and said.startswith("Scan ")


def strike(victim: Victim, part: str, how: str, hit: psutil.Process) -> float:
    hit.send_signal(signal.SIGKILL if how == KILLED else signal.SIGSTOP)
    since = time.monotonic()
    if (part, how) == ("up", KILLED):
        victim.start()  # as somebody, or systemd, does it
    return since


def mend(victim: Victim, part: str, how: str, hit: psutil.Process) -> None:
    """Wait until what hangs was killed, and all is whole again."""
    if how == HANGS and part == "up":
        hit.send_signal(signal.SIGCONT)  # nobody watches `up` itself
    elif how == HANGS:
        wait_for(lambda: not hit.is_running(), f"the end of the {part}, which hangs", 300)
    victim.wait_whole()


def check(
    victim: Victim, seen: Seen, attempts: Attempts, outcomes: Outcomes, outcome: Outcome
) -> None:
    """Compare the sum with what was sent, and what is missing with what is said."""
    sent = seen.sent + attempts.sent
    said = ""

    def accounted() -> bool:
        nonlocal said
        try:
            with victim.player() as player:
                lost = seen.count + sent - player.read("FrameCount")
                failed = player.read("FailedFrames") - seen.failed
                said = player.read("LastError")
        except (*EXCUSES, TypeError):
            return False
        accounted.lost, accounted.failed = lost, failed  # pyright: ignore
        return 0 <= lost <= max(failed, 0)

    wait_for(accounted, lambda: f"a name for what is missing: {vars(accounted)} {said!r}")
    lost, failed = accounted.lost, accounted.failed  # pyright: ignore
    in_vain = f"; {attempts.in_vain} scans in vain" if attempts.in_vain else ""
    named = f"FailedFrames {failed}: {said}" if lost or failed else "–"
    outcomes.record(
        Outcome(
            outcome.what,
            outcome.when,
            f"{lost} of {sent}" if lost else "0",
            named + in_vain,
            outcome.seconds,
        )
    )
    if outcome.when == IDLE and not attempts.in_vain:
        assert lost == 0, "what rests in the journal is not lost"
    assert lost <= seen.sent + attempts.sent, "nothing of before is lost"
    assert NEXT.steps * NEXT.burst <= attempts.sent
