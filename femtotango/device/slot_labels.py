"""The attributes of a slot carry the name of the ROI in it as their label."""

from collections.abc import Sequence
from typing import Any

import tango

from femtotango.device.attributes import label

_SHOWN = ("Mean", "Curve")


def show_slots(device: Any, slots: Sequence[str]) -> None:
    """Label the attributes of each slot, in this server only: the database keeps its own labels.

    Args:
        device: whose attributes they are.
        slots: name of the ROI in each; empty: free.
    """
    attributes = device.get_device_attr()
    for number, name in enumerate(slots, start=1):
        for what in _SHOWN:
            attribute = attributes.get_attr_by_name(f"Roi{number}{what}")
            wanted = name or label(attribute.get_name())
            if attribute.get_label() != wanted:
                with tango.AutoTangoMonitor(device):
                    config = attribute.get_properties()
                    config.label = wanted
                    attribute.set_properties(config)
                    device.push_att_conf_event(attribute)
