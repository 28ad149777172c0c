"""The properties of a device without Tango database."""

import json

from femtotango.stack.config import StackConfig
from femtotango.stack.property_file import write_property_file

DEVICE = StackConfig().device


def test_the_property_file_keeps_what_the_device_has_written(build):
    services = build(database=False, properties={"OutputFolder": "/data"})
    write_property_file(services)
    memory = f'{DEVICE}/CmosThreshold->__value: "33"'
    with services.property_file.open("a") as file:
        file.write(memory + "\n")
    write_property_file(services)
    lines = services.property_file.read_text().splitlines()
    assert lines.count(memory) == 1
    url = json.dumps(services.addresses.controller)
    assert lines.count(f"{DEVICE}->ControllerUrl: {url}") == 1
    assert lines.count(f'{DEVICE}->OutputFolder: "/data"') == 1


def test_the_property_file_loses_what_is_not_configured_any_more(build):
    given = {"OutputFolder": "/data", "BalorDevice": "a/b/c"}
    write_property_file(build(database=False, properties=given))
    changed = build(database=False, properties={"OutputFolder": "/data"})
    file = changed.property_file
    file.write_text(file.read_text() + f'{DEVICE}->UpdateRate: "2"\n')
    write_property_file(changed)
    text = file.read_text()
    assert "BalorDevice" not in text
    assert f'{DEVICE}->OutputFolder: "/data"' in text
    assert "UpdateRate" in text, "entered by somebody else"


def test_a_property_that_was_changed_by_hand_stays(build):
    write_property_file(build(database=False, properties={"OutputFolder": "/data"}))
    services = build(database=False)
    file = services.property_file
    file.write_text(file.read_text().replace('"/data"', '"/other"'))
    write_property_file(services)
    assert f'{DEVICE}->OutputFolder: "/other"' in file.read_text()
