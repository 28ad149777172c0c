"""What Tango shows as written: it has to be what is requested, whoever requested it."""

from collections.abc import Iterable, Mapping
from typing import Any

from femtotango.component.setting_flow import Flow
from pipeline.model.parameters import PARAMETERS


def show_written(device: Any, values: Mapping[str, Any]) -> None:
    """Have Tango show values as written; else forms show zeros, or what is out of date.

    Args:
        device: whose attributes they are; call with its monitor.
        values: by attribute.
    """
    attributes = device.get_device_attr()
    for name, value in values.items():
        attributes.get_w_attr_by_name(name).set_write_value(value)


def show_requested(device: Any, flow: Flow, names: Iterable[str]) -> None:
    """Have Tango show as written what is requested now.

    Args:
        device: whose attributes they are; call with its monitor.
        flow: where each setting is on its way.
        names: of parameters.
    """
    attributes = {name: PARAMETERS[name].attribute for name in names}
    show_written(
        device, {a: flow[name].requested for name, a in attributes.items() if a is not None}
    )
