"""A detector that breaks its own protocol, and records that are not as they should be."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import numpy as np
import pytest
from support.malformed import SHAPE, malformed
from support.outcomes import Outcome, Outcomes
from support.repeats import repeats
from support.victim import STREAM, Attempts, Victim
from support.waiting import wait_for

from femtotango.simulation.beamline import ScanPlayer
from femtotango.simulation.detector_socket import PushSource
from femtotango.simulation.sardana_records import post_record
from pipeline.protocols.stins import stins_end, stins_header, stins_image
from pipeline.simulation.scan import BurstScan, sardana_records

pytestmark = pytest.mark.slow

SCAN = BurstScan(steps=3, burst=4)
FRAMES = SCAN.steps * SCAN.burst
MESSAGES = repeats(200, 1000)


def frame(number: int) -> np.ndarray:
    """A frame that says in its pixels which one it is."""
    pixels = np.zeros(SHAPE, np.float32)
    pixels.reshape(-1)[number % pixels.size] = 1 + number // pixels.size
    return pixels


def image(number: int) -> list[bytes]:
    return stins_image(number + 1, number, frame(number))


def send(player: ScanPlayer, messages: list[list[bytes]]) -> None:
    """Send as a detector that is there for this alone; all is taken when this returns."""
    with PushSource(player.info["streams"][STREAM]) as source:
        source.send(messages)


@dataclass
class Client:
    """A client of the stack, and what was there before."""

    player: ScanPlayer
    victim: Victim
    failed: int
    error: str
    """The last one before."""
    since: float = 0.0

    def close(self, outcomes: Outcomes, what: str, sent: int, frames: int) -> None:
        """Check the sum, record what happened, and see that the next scan works.

        Args:
            outcomes: gets the row.
            what: happened.
            sent: good frames.
            frames: that are in the sum.
        """
        player = self.player
        attempts = Attempts(self.victim)
        seconds = attempts.until_one_works(self.since)
        whole = frames + attempts.sent
        wait_for(lambda: player.read("FrameCount") == whole, lambda: self._told())
        failed, said = player.read("FailedFrames") - self.failed, player.read("LastError")
        lost = sent - frames
        assert failed >= lost, self._told()
        named = f"FailedFrames {failed}: {said}" if failed or said != self.error else "–"
        count = f"{lost} of {sent}" if lost else "0"
        outcomes.record(Outcome(what, lost=count, named=named, seconds=seconds))

    def _told(self) -> str:
        return f"{self.player.read('FrameCount')} frames. {self.player.device.status()}"


@pytest.fixture
def client(victim: Victim) -> Iterator[Client]:
    with victim.player() as player:
        player.write(Accumulate=True)
        wait_for(lambda: player.read("FrameCount") == 0, "an empty sum")
        yield Client(player, victim, player.read("FailedFrames"), player.read("LastError"))


def test_a_detector_disconnects(client, outcomes):
    player = client.player
    player.prepare(STREAM, SCAN, records=False)
    send(player, [stins_header(0), *map(image, range(5))])
    client.since = time.monotonic()
    send(player, [*map(image, range(5, FRAMES)), stins_end(FRAMES + 1)])
    player.wait_finished()
    client.close(outcomes, "detector disconnects and goes on", FRAMES, FRAMES)


def test_too_few_frames(client, outcomes):
    player = client.player
    player.prepare(STREAM, SCAN, records=False)
    send(player, [stins_header(0), *map(image, range(7)), stins_end(8)])
    client.since = time.monotonic()
    client.close(outcomes, f"series of 7 frames instead of {FRAMES}", 7, 7)
    assert "5 of 12 frames never came" in player.read("LastError")


def test_a_camera_that_falls_silent(client, outcomes):
    player = client.player
    player.prepare(STREAM, SCAN, records=False)
    send(player, [stins_header(0), *map(image, range(7))])
    client.since = time.monotonic()
    client.close(outcomes, f"camera falls silent after 7 of {FRAMES} frames", 7, 7)
    assert "5 of 12 frames never came" in player.read("LastError")


def test_too_many_frames(client, outcomes):
    player = client.player
    player.prepare(STREAM, SCAN, records=False)
    more = FRAMES + 5
    send(player, [stins_header(0), *map(image, range(more)), stins_end(more + 1)])
    client.since = time.monotonic()
    attempts = Attempts(client.victim)
    seconds = attempts.until_one_works(client.since)
    # dranspose takes the first frame too many for the end event; one worker takes the frame.
    wait_for(lambda: player.read("FrameCount") == FRAMES + 1 + attempts.sent, player.device.status)
    what = f"series of {more} frames instead of {FRAMES}"
    lost = "none of those announced; one more is in the sum"
    outcomes.record(Outcome(what, lost=lost, named=player.read("LastError"), seconds=seconds))


def test_a_second_header(client, outcomes):
    player = client.player
    player.prepare(STREAM, SCAN, records=False)
    client.since = time.monotonic()
    messages = [stins_header(0), *map(image, range(FRAMES)), stins_end(FRAMES + 1)]
    messages.insert(6, stins_header(0, "/raw/another.h5", {"energy": 1}))
    send(player, messages)
    player.wait_finished()
    client.close(outcomes, "second header in a series", FRAMES, FRAMES)


def test_late_messages_of_an_aborted_series(client, outcomes):
    player = client.player
    player.prepare(STREAM, SCAN, records=False)
    series = [stins_header(0), *map(image, range(100, 100 + FRAMES)), stins_end(FRAMES + 1)]
    send(player, series[:6])
    wait_for(lambda: player.read("EventsProcessed") == 6, player.device.status)
    player.device.StopScan()
    client.since = time.monotonic()
    player.device.ResetAccumulation()
    player.prepare(STREAM, SCAN, records=False)
    whole = [stins_header(0), *map(image, range(FRAMES)), stins_end(FRAMES + 1)]
    send(player, [*series[6:], *whole])
    player.wait_finished()
    wait_for(lambda: player.read("FrameCount") == FRAMES, player.device.status)
    shown = np.nan_to_num(player.read("AccumulatedImage"), nan=0)
    np.testing.assert_array_equal(shown, sum(frame(n) for n in range(FRAMES)))
    what = "frames and end of an aborted series at the start of the next: not in it"
    client.close(outcomes, what, FRAMES, FRAMES)


@pytest.mark.timeout(900)
def test_malformed_messages(client, outcomes):
    player = client.player
    player.device.StartContinuous([STREAM])
    client.since = time.monotonic()
    messages, good = [stins_header(0)], 0
    for seed in range(MESSAGES):
        messages.append(malformed(seed, good))
        if seed % 4 == 0:
            messages.append(image(good))
            good += 1
    nan = stins_image(good + 1, good, np.full(SHAPE, np.nan, np.float32))
    send(player, [*messages, nan, stins_end(good + 2)])
    wait_for(lambda: player.read("FrameCount") == good + 1, player.device.status)
    player.device.StopContinuous()
    shown = np.nan_to_num(player.read("AccumulatedImage"), nan=0)
    np.testing.assert_array_equal(shown, sum(frame(n) for n in range(good)))
    assert player.read("FailedFrames") > client.failed
    what = f"{MESSAGES} malformed camera messages among {good + 1} frames"
    client.close(outcomes, what, good + 1, good + 1)


RECORDS = {
    "a record is missing": lambda records: [*records[:2], *records[3:]],
    "a record comes twice": lambda records: [*records[:2], records[1], *records[2:]],
    "a record without its motor": lambda records: [
        *records[:2],
        {k: v for k, v in records[2].items() if k != "dummy_mot_01"},
        *records[3:],
    ],
    "a record with unknown columns": lambda records: [
        *records[:2],
        {**records[2], "nobody": 1.5, "a list": [1, 2], "é": {"x": None}},
        *records[3:],
    ],
    "no record at all": lambda records: records[:1],
    "an end before the last record": lambda records: [*records[:3], records[-1], records[3]],
}


@pytest.mark.parametrize("what", list(RECORDS))
def test_records(client, outcomes, what):
    player = client.player
    player.prepare(STREAM, SCAN)
    records = RECORDS[what](sardana_records(SCAN))
    with httpx.Client(trust_env=False) as http:
        post_record(http, player.info["sardana"], records[0])
        send(player, [stins_header(0), *map(image, range(FRAMES)), stins_end(FRAMES + 1)])
        for record in records[1:]:
            post_record(http, player.info["sardana"], record)
    client.since = time.monotonic()
    unfinished = ("missing" in what) or ("no record" in what) or ("end before" in what)
    if not unfinished:
        player.wait_finished()
    client.close(outcomes, what, FRAMES, FRAMES)


def test_a_record_with_nan(client, outcomes):
    player = client.player
    player.prepare(STREAM, SCAN)
    records = sardana_records(SCAN)
    with httpx.Client(trust_env=False) as http:
        post_record(http, player.info["sardana"], records[0])
        send(player, [stins_header(0), *map(image, range(FRAMES)), stins_end(FRAMES + 1)])
        post_record(http, player.info["sardana"], records[1])
        # No JSON has NaN; this is what Python's own encoder makes of it.
        text = '{"type": "RecordData", "timestamp": 1.0, "point_nb": 1, "dummy_mot_01": NaN}'
        answer = http.post(
            f"{player.info['sardana']}/v1/record_data",
            content=text,
            headers={"content-type": "application/json"},
        )
        taken = answer.is_success
        for record in records[2 if not taken else 3 :]:
            post_record(http, player.info["sardana"], record)
    client.since = time.monotonic()
    player.wait_finished()
    how = "is taken" if taken else f"is refused ({answer.status_code}) and sent again"
    client.close(outcomes, f"a record with NaN {how}", FRAMES, FRAMES)
