"""The HTTP clients against dranspose's own code."""

from contextlib import closing

import numpy as np
import pytest
from support.client_side import closed_port, silent_server
from support.published import published

from femtotango.dranspose_client.controller import Controller
from femtotango.dranspose_client.reducer import Reducer
from femtotango.dranspose_client.sardana_ingester import SardanaIngester
from femtotango.dranspose_client.services import Progress
from femtotango.errors import BadReply, TimedOut, Unreachable
from pipeline.model.parameters import PARAMETERS

TREE = {
    "number": 7,
    "text": "pilatus",
    "image": np.arange(12, dtype=np.float32).reshape(3, 4),
    "counts": np.arange(5, dtype=">i4"),
    "group": {"bytes": np.frombuffer(b"hello", np.uint8)},
}


@pytest.fixture(scope="module")
def reducer():
    with published(TREE) as address:
        reducer = Reducer(address)
        yield reducer
        reducer.close()


def test_scalars_arrays_and_bytes(reducer):
    assert reducer.scalar("number") == 7
    assert reducer.scalar("text") == "pilatus"
    np.testing.assert_array_equal(reducer.array("image"), TREE["image"])
    assert reducer.array("image").dtype == np.float32
    np.testing.assert_array_equal(reducer.array("counts"), [0, 1, 2, 3, 4])
    assert reducer.data("group/bytes") == b"hello"


def test_a_rectangle(reducer):
    region = reducer.array("image", (slice(1, 3), slice(0, 2)))
    np.testing.assert_array_equal(region, [[4, 5], [8, 9]])


@pytest.mark.parametrize("path", ["nothing", "group/nothing"])
def test_what_is_not_published_is_a_bad_reply(reducer, path):
    with pytest.raises(BadReply, match="answered 500"):
        reducer.scalar(path)
    with pytest.raises(BadReply):
        reducer.array(path)


def test_an_array_is_no_scalar_and_a_scalar_no_array(reducer):
    with pytest.raises(BadReply, match="no array text"):
        reducer.array("text")
    with pytest.raises(BadReply):
        reducer.scalar("image")


def test_nobody_there_is_unreachable_and_says_where():
    with closed_port() as address:
        for client, ask in (
            (Controller(address), lambda c: c.config()),
            (SardanaIngester(address), lambda s: s.ask_to_flush()),
            (Controller("not an address"), lambda c: c.progress()),
        ):
            with closing(client), pytest.raises(Unreachable, match=f"at {client.url} does not"):
                ask(client)


def test_a_server_that_hangs_is_given_up():
    with (
        silent_server() as server,
        closing(Controller(server.url)) as controller,
        pytest.raises(TimedOut, match="does not answer"),
    ):
        controller.progress()


def test_another_server_is_no_controller(reducer):
    with closing(Controller(reducer.url)) as controller, pytest.raises(BadReply):
        controller.config()


@pytest.fixture
def controller(stack):
    with closing(Controller(stack["controller"])) as controller:
        yield controller


def test_a_controller(controller):
    config = controller.config()
    assert {"pilatus", "sardana"} <= config.streams
    assert config.worker_names == {"worker1", "worker2"}
    assert config.reducer is not None
    assert set(PARAMETERS) <= set(config.parameters_version)
    assert isinstance(controller.progress(), Progress)
    assert controller.parameter("no_such_parameter") is None
    assert controller.parameter("background") is not None
    assert len(controller.set_parameter("background", b"100.0")) == 64
