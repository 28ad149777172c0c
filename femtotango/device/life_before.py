"""What a life of the device begins with: what the life before has left, or Tango remembers."""

import time
from dataclasses import replace

from femtotango.component import kept, setting_flow
from femtotango.component.kept import Kept
from femtotango.device.attributes import MAX_FILTER
from femtotango.device.memorized import DeviceMemory
from femtotango.device.properties import Properties
from pipeline.model.parameters import ATTRIBUTES


def life_before(memory: DeviceMemory, properties: Properties) -> tuple[Kept, dict[str, str]]:
    """Return what a life begins with, and what of it could not be used.

    Args:
        memory: of the device.
        properties: as they are now.
    """
    before = memory.take()
    if before is not None:
        return before, {}
    texts = memory.settings([*ATTRIBUTES, MAX_FILTER])
    max_filter = texts.pop(MAX_FILTER, "").lower() in ("true", "1")
    before, unreadable = kept.from_properties(properties.kept)
    flow, refused = setting_flow.recalled(
        {ATTRIBUTES[name].name: text for name, text in texts.items()},
        time.time(),
        before.sum_number,
    )
    controller = properties.addresses.controller
    before = replace(before, flow=flow, controller=controller, max_filter=max_filter)
    memory.know_properties(kept.to_properties(before))
    return before, refused | unreadable
