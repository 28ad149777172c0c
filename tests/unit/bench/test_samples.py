"""Samples of py-spy are counted by function."""

from bench.samples import functions


def test_what_ran_is_counted_once_for_all_its_lines():
    samples = (
        "run (asyncio/runners.py:118);poll (/env/site-packages/zmq/_future.py:10) 3\n"
        "run (asyncio/runners.py:118);poll (/env/site-packages/zmq/_future.py:12) 2\n"
        "run (asyncio/runners.py:118) 1\n"
    )
    assert functions(samples) == {"poll (zmq/_future.py)": 5, "run (asyncio/runners.py)": 1}
