"""Enters the device of a stack in its Tango database."""

from pathlib import Path

from femtotango.stack.errors import StackError
from femtotango.stack.services import Services
from femtotango.stack.written import WrittenProperties
from tango_db.register import RegisterError, forget_properties, register, template


def register_device(services: Services, folder: Path) -> None:
    """Enter the device with its properties; those that a stack before wrote, and this one not, go.

    Args:
        services: of the stack.
        folder: of the stack.

    Raises:
        StackError: the database refuses, or the record of what was written cannot be written.
    """
    device, properties = services.config.device, services.properties
    written = WrittenProperties(folder, device)
    try:
        register(
            device=device,
            # the alias belongs to the device of `femtomax.json`, which may be here from before
            alias=None if device == template().device else "",
            properties=properties,
            tango_host=services.tango_host,
        )
        forget_properties(device, written.removed(properties), services.tango_host)
    except RegisterError as error:
        raise StackError(str(error)) from error
    written.remember(properties)
