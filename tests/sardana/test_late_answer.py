"""One late answer of the device does not cost a point its value; one that hangs costs little."""

from types import SimpleNamespace
from typing import Any

import pytest
import tango

from femtotango.sardana import lazy_device
from femtotango.sardana.lazy_device import LazyDevice


def failure(reason: str) -> tango.DevFailed:
    error = tango.DevError()
    error.reason, error.desc, error.origin = reason, "no answer", "test"
    error.severity = tango.ErrSeverity.ERR
    return tango.DevFailed(error)


LATE = "API_DeviceTimedOut"


class Proxy:
    """Fails with what it is given, then answers."""

    def __init__(self) -> None:
        self.failures: list[tango.DevFailed] = []
        self.asked = 0

    def set_timeout_millis(self, milliseconds: int) -> None:
        """Take it."""

    def read_attributes(self, names: list[str]) -> list[Any]:
        self.asked += 1
        if self.failures:
            raise self.failures.pop(0)
        return [SimpleNamespace(name=name, value=1) for name in names]


@pytest.fixture
def proxy(monkeypatch) -> Proxy:
    proxy = Proxy()
    monkeypatch.setattr(lazy_device.tango, "DeviceProxy", lambda name: proxy)
    monkeypatch.setattr(LazyDevice, "_failures", {})
    return proxy


def test_one_late_answer_costs_nothing(proxy):
    device = LazyDevice("a/b/c")
    proxy.failures = [failure(LATE)]
    (count,) = device.read_attributes(["FrameCount"])
    assert (count.value, proxy.asked) == (1, 2)


def test_one_that_hangs_is_asked_twice_and_then_once_a_while(proxy, monkeypatch):
    device, other = LazyDevice("a/b/c"), LazyDevice("a/b/c")
    proxy.failures = [failure(LATE) for _ in range(4)]
    for asks in (device, other, device):
        with pytest.raises(tango.DevFailed):
            asks.read_attributes(["FrameCount"])
    assert proxy.asked == 2, "it is left alone for a while"
    monkeypatch.setattr(lazy_device, "_REST", 0.0)
    LazyDevice._failures["a/b/c"] = 0.0, failure(LATE)
    for asked in (3, 4):
        with pytest.raises(tango.DevFailed):
            device.read_attributes(["FrameCount"])
        assert proxy.asked == asked, "it is known to hang"
    assert device.read_attributes(["FrameCount"])
    assert not LazyDevice._failures


def test_what_fails_at_once_is_not_asked_again(proxy):
    proxy.failures = [failure("API_DeviceNotExported")]
    with pytest.raises(tango.DevFailed):
        LazyDevice("a/b/c").read_attributes(["FrameCount"])
    assert proxy.asked == 1
