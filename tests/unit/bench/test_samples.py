"""Samples of py-spy are counted by function."""

from bench.samples import busy_with, functions


def test_what_ran_is_counted_once_for_all_its_lines():
    samples = (
        "run (asyncio/runners.py:118);poll (/env/site-packages/zmq/_future.py:10) 3\n"
        "run (asyncio/runners.py:118);poll (/env/site-packages/zmq/_future.py:12) 2\n"
        "run (asyncio/runners.py:118) 1\n"
    )
    assert functions(samples) == {"poll (zmq/_future.py)": 5, "run (asyncio/runners.py)": 1}


def test_whose_code_is_busy():
    samples = (
        "run (dranspose/reducer.py:97);process_result (pipeline/reducer/femtomax_reducer.py:1);"
        "copy (numpy/core.py:1) 4\n"
        "main (femtotango/stack/launch.py:155);run (dranspose/reducer.py:97) 2\n"
        "_work (pipeline/worker/dranspose_loop.py:317);write (asyncio/selector_events.py:1057) 1\n"
        "main (femtotango/stack/launch.py:155);EpollSelector.select (selectors.py:468) 8\n"
        "Condition.wait (threading.py:327) 16\n"
    )
    assert busy_with(samples) == (4, 3)
