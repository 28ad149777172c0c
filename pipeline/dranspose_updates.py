"""What dranspose's services do when a parameter is posted; called before one of them begins."""

from uuid import UUID

from dranspose.protocol import WorkParameter


def read_what_has_changed() -> None:
    """Let a service read the parameters that have changed, and those that have no description.

    Without this it reads each of them, value and description, with every update of the controller:
    dranspose compares the value that the service has with the UUID of the newest value, and so
    finds them different always.
    """
    equal = WorkParameter.__eq__

    def is_same(self: WorkParameter, other: object) -> bool:
        if not isinstance(other, UUID):
            return equal(self, other)
        # Without a value its description was not there yet: that is asked for again.
        return self.uuid == other and self.value is not None

    WorkParameter.__eq__ = is_same
