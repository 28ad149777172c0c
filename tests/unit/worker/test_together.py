"""Results of fast events wait for each other: a few, and not for long."""

from pipeline.worker.together import Together


def test_results_at_10_hz_are_sent_at_once():
    together = Together()
    assert not any(together.waits(0.1 * n, 1, True) for n in range(20))
    assert together.due is None


def test_those_of_fast_events_wait_until_there_are_eight():
    together, held, sent = Together(), 0, []
    for n in range(40):
        held += 1
        if not together.waits(0.01 * n, held, True):
            together.send()
            sent.append(held)
            held = 0
    assert sent == [1, *[8] * 4]


def test_the_first_that_waits_says_when_all_are_due():
    together = Together()
    assert not together.waits(10.0, 1, True)
    assert together.waits(10.03, 1, True)
    assert together.waits(10.06, 2, True)
    assert together.due is not None
    assert 10.03 < together.due < 10.14
    together.send()
    assert together.due is None


def test_what_somebody_waits_for_takes_the_others_with_it():
    together = Together()
    together.waits(0.0, 1, True)
    assert together.waits(0.01, 1, True)
    assert not together.waits(0.02, 2, False)
