"""Gives a device without Tango database its properties, in the file that its server reads."""

import json

from femtotango.stack.errors import StackError
from femtotango.stack.services import INSTANCE, Services
from femtotango.stack.written import WrittenProperties
from pipeline.files.atomic import FileError, write_over
from tango_db.register import CLASS


def write_property_file(services: Services) -> None:
    """Write the device's properties; memorized values stay.

    Properties that a stack before wrote, and this one does not, go.

    Args:
        services: of the stack.

    Raises:
        StackError: the file cannot be written.
    """
    prefix = f"{services.config.device}->"
    written = services.property_file
    old = written.read_text().splitlines() if written.exists() else []
    head = f"{CLASS}/{INSTANCE}/DEVICE/{CLASS}: {json.dumps(services.config.device)}"
    ours = {
        f"{prefix}{name}": json.dumps(value) for name, value in services.properties.items() if value
    }
    written_before = WrittenProperties(written.parent, services.config.device)
    gone = {
        f"{prefix}{name}: {json.dumps(value)}"
        for name, value in written_before.removed(services.properties).items()
    }
    kept = [
        line
        for line in old
        if line != head and line not in gone and line.partition(":")[0] not in ours
    ]
    lines = [head, *kept, *(f"{name}: {value}" for name, value in ours.items())]
    try:
        write_over(written, "\n".join(lines) + "\n")
    except FileError as error:
        raise StackError(str(error)) from error
    written_before.remember(services.properties)
