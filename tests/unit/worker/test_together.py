"""Results of fast events wait for each other, and not for long."""

import pytest

from pipeline.worker.together import Together


def sent_of(together: Together, period: float, count: int) -> list[int]:
    """Return how many results each message has when events come regularly."""
    sent, held = [], 0
    for n in range(count):
        held += 1
        if not together.waits(period * n, True):
            together.send()
            sent.append(held)
            held = 0
    return sent


def test_results_at_10_hz_are_sent_at_once():
    assert sent_of(Together(), 0.1, 30) == [1] * 30


def test_a_burst_of_a_few_events_is_no_fast_series():
    together = Together()
    assert not any(together.waits(10.0 * (n // 5) + 0.01 * (n % 5), True) for n in range(30))


@pytest.mark.parametrize("rate", [15, 100])
def test_those_of_fast_events_wait_for_a_fifth_of_a_second(rate: int):
    sent = sent_of(Together(), 1 / rate, 3 * rate)
    assert sent[:7] == [1] * 7
    assert len(sent) > 12
    assert all(0.2 * rate <= n <= 0.2 * rate + 2 for n in sent[7:])


def test_the_first_that_waits_says_when_all_are_due():
    together = Together(many=2)
    assert not together.waits(10.0, True)
    assert together.waits(10.03, True)
    assert together.waits(10.06, True)
    assert together.due is not None
    assert 10.03 < together.due < 10.24
    together.send()
    assert together.due is None


def test_what_somebody_waits_for_takes_the_others_with_it():
    together = Together(many=2)
    together.waits(0.0, True)
    assert together.waits(0.01, True)
    assert not together.waits(0.02, False)
