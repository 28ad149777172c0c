"""Names of a device with and without database."""

import pytest

from femtotango.gui.device_link.names import DeviceNameError, parse_device_name


@pytest.mark.parametrize(
    ("text", "tango", "taurus"),
    [
        ("a/b/c", "a/b/c", "tango:a/b/c"),
        ("tango:a/b/c", "a/b/c", "tango:a/b/c"),
        (" femtomax ", "femtomax", "tango:femtomax"),
        ("host:10000/a/b/c", "tango://host:10000/a/b/c", "tango://host:10000/a/b/c"),
        ("tango://host:10000/a/b/c", "tango://host:10000/a/b/c", "tango://host:10000/a/b/c"),
        (
            "tango://127.0.0.1:4711/a/b/c#dbase=no",
            "tango://127.0.0.1:4711/a/b/c#dbase=no",
            "tango-nodb://127.0.0.1:4711/a/b/c",
        ),
        (
            "tango-nodb://127.0.0.1:4711/a/b/c",
            "tango://127.0.0.1:4711/a/b/c#dbase=no",
            "tango-nodb://127.0.0.1:4711/a/b/c",
        ),
        ("tango://h:1/a/b/c#dbase=yes", "tango://h:1/a/b/c", "tango://h:1/a/b/c"),
    ],
)
def test_every_form_of_a_name(text: str, tango: str, taurus: str) -> None:
    name = parse_device_name(text)
    assert (name.tango, name.taurus) == (tango, taurus)


def test_name_of_an_attribute_is_one_that_taurus_takes() -> None:
    name = parse_device_name("tango://h:1/a/b/c#dbase=no")
    assert name.attribute("Distance") == "tango-nodb://h:1/a/b/c/Distance"


@pytest.mark.parametrize(
    "text", ["", "a/b", "a/b/c/d", "a b", "tango://host/a/b/c", "http://x:1/a/b/c"]
)
def test_what_is_no_name_is_refused_with_the_accepted_forms(text: str) -> None:
    with pytest.raises(DeviceNameError, match="a/b/c"):
        parse_device_name(text)


def test_without_database_host_and_port_are_needed() -> None:
    with pytest.raises(DeviceNameError, match="host and port"):
        parse_device_name("a/b/c#dbase=no")
