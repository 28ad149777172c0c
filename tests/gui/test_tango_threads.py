"""Tango's threads hold nothing of Qt: they would delete it in the wrong thread."""

import gc
import types
from typing import Any

import pytest

pytestmark = [pytest.mark.gui, pytest.mark.slow]


def reached(start: object) -> list[Any]:
    """Return what a thread's object holds, directly or not; modules and classes are everybody's."""
    found, ahead = {id(start): start}, [start]
    while ahead:
        one = ahead.pop()
        if isinstance(one, types.FunctionType):
            held = [one.__closure__, one.__defaults__, one.__kwdefaults__]
        else:
            held = gc.get_referents(one)
        for other in held:
            if id(other) not in found and not isinstance(other, type | types.ModuleType):
                found[id(other)] = other
                ahead.append(other)
    return list(found.values())


def test_the_tango_thread_holds_no_widget_and_no_link(open_viewer, device_alone: str) -> None:
    from support.viewer import QtCore

    from femtotango.gui.device_link.messenger import Messenger

    viewer = open_viewer(device_alone)
    link = viewer.window.link
    link.read("test", ("State",), viewer.window.tools.show_normalization)
    held = reached(link._thread) + reached(link._jobs)
    assert any(isinstance(one, Messenger) for one in held)
    of_qt = [one for one in held if isinstance(one, QtCore.QObject)]
    assert [one for one in of_qt if not isinstance(one, Messenger)] == []
    window = viewer.window
    with pytest.raises(TypeError, match="holds a QObject"):
        link.call(lambda _: window.close())
