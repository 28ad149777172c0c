"""The component's threads: nothing that a part of the pipeline answers ends them."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from support.waiting import stays, wait_for

from femtotango.component import continuous, scan_control
from femtotango.component.arming import Arming
from femtotango.component.component import Component
from femtotango.component.scan_request import ScanRequest
from femtotango.dranspose_client.addresses import Addresses
from femtotango.errors import NotReady
from femtotango.simulation.detector_socket import PushSource
from pipeline.protocols.stins import stins_header, stins_image

CONFIG = b'{"parameters_version": {}, "reducer": {"mapping_uuid": "m"}, "parameters_hash": "h"}'
REPLIES = {
    "/api/v1/config": CONFIG,
    # An infinite number is valid for Python's reader, and no int.
    "/api/v1/progress": b'{"last_assigned": Infinity, "completed_events": 0, "total_events": 0,'
    b' "finished": false}',
}
REVISION = b'{"value": "newest"}'


class Answer(BaseHTTPRequestHandler):
    """Answers every request; most of it is no use."""

    def do_GET(self):
        self._reply(REPLIES.get(self.path, REVISION if "datasets" in self.path else b"0"))

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self._reply(b'"h"')

    def _reply(self, content):
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@contextmanager
def useless_server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def component():
    with useless_server() as address:
        component = Component(Addresses(address, f"{address}/"), update_rate=20.0)
        component.start()
        yield component
        component.close()


def test_an_error_that_nobody_expects_is_shown_and_the_threads_go_on(component, caplog):
    wait_for(lambda: "OverflowError" in str(component.view.pipeline.error))
    wait_for(lambda: "ValueError" in str(component.view.results.error))
    for thread in component._threads:
        assert thread.is_alive()
    # A view shows a fault a moment before the log does.
    wait_for(lambda: caplog.text.count("Traceback") >= 2, lambda: caplog.text)
    before = len(caplog.records)
    assert component.refresh().error == component.view.results.error, "asked once more"
    assert len(caplog.records) == before, "a fault that stays is logged once"


def test_the_fault_is_over_with_the_next_good_answer(component, monkeypatch):
    wait_for(lambda: "OverflowError" in str(component.view.pipeline.error))
    progress = b'{"last_assigned": 0, "completed_events": 0, "total_events": 0, "finished": true}'
    monkeypatch.setitem(REPLIES, "/api/v1/progress", progress)
    wait_for(lambda: component.view.pipeline.error is None)


def test_a_continuous_series_longer_than_its_trigger_map_is_said(pipeline, monkeypatch):
    monkeypatch.setattr(continuous, "_NEARLY_ALL", 10)
    component = Component(Addresses(pipeline["controller"], pipeline["reducer"]), update_rate=20.0)
    component.start()
    try:
        with PushSource(pipeline["streams"]["pilatus"]) as source:
            component.start_continuous(["pilatus"])
            number = component.view.scan.number
            source.send([stins_header(0, "", None)])
            frame = np.ones((8, 8), np.float32)
            for i in range(12):
                source.send([stins_image(i + 1, i, frame, "none")])
            wait_for(lambda: component.view.scan.number > number)
            wait_for(lambda: "again from the next series on" in component.view.last_error)
            component.stop(continuous=True)
            wait_for(lambda: component.view.scan.done)
    finally:
        component.close()


@pytest.fixture
def scans(pipeline):
    component = Component(Addresses(pipeline["controller"], pipeline["reducer"]), update_rate=20.0)
    component.start()
    wait_for(lambda: component.view.pipeline.error is None)
    wait_for(lambda: component.view.results.error is None)
    component.stop(continuous=False)  # what another test may have left
    wait_for(lambda: component.view.scan.done, lambda: component.view)
    yield component
    component.close()


def give_up(component, timeout):
    """Ask for a scan in a thread and return the thread and what it will raise."""
    errors = []

    def ask():
        with pytest.raises(NotReady) as raised:
            component.prepare(ScanRequest(("pilatus",), 1, 2, records=False, timeout=timeout))
        errors.append(raised.value)

    thread = threading.Thread(target=ask)
    thread.start()
    return thread, errors


def test_nothing_begins_once_the_client_has_given_up(scans):
    number = scans.view.scan.number
    with scans.sync.posting():
        thread, errors = give_up(scans, timeout=0.3)
        threading.Event().wait(0.4)
    thread.join()
    assert errors, "a scan began"
    assert scans.view.scan.number == number
    assert scans.view.scan.done


def test_a_scan_that_began_too_late_is_ended(scans, monkeypatch):
    number = scans.view.scan.number
    wait_assigned = Arming.wait_assigned

    def slowly(arming):
        threading.Event().wait(1.0)
        return wait_assigned(arming)

    with monkeypatch.context() as slow:
        slow.setattr(Arming, "wait_assigned", slowly)
        slow.setattr(scan_control, "_IN_TIME", 1.0)
        thread, errors = give_up(scans, timeout=1.0)
        thread.join()
    assert errors
    stays(lambda: scans.view.scan.number == number and scans.view.scan.done, "a scan began")
    scans.prepare(ScanRequest(("pilatus",), 1, 2, records=False))
    assert scans.view.scan.number == number + 1
    scans.stop(continuous=False)
    wait_for(lambda: scans.view.scan.done)
