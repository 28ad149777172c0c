"""A process that works on frames, shared by the tests of a file."""

import threading
from collections.abc import Iterator

import pytest

from pipeline.postprocessing.pool import Pool


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(1, threading.Event()) as found:
        yield found
