"""The thread that pushes change events."""

import tango
from support.waiting import wait_for

from femtotango.device.change_events import Pusher


def test_a_round_that_fails_is_counted_and_the_next_one_goes_on():
    rounds = []

    def readings():
        rounds.append(1)
        raise ValueError("a reading that nobody thought of")

    pusher = Pusher(None, readings, lambda: (tango.DevState.ON, ""), lambda: None)
    pusher.start()
    try:
        for number in (1, 2):
            pusher.notify()
            wait_for(lambda number=number: pusher.failures >= number, "a failure")
    finally:
        pusher.close()
    assert len(rounds) >= pusher.failures >= 2
