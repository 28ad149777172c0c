"""What dranspose's services do when a parameter is posted; called before one of them begins."""

from uuid import UUID

from dranspose.protocol import WorkParameter


def read_what_has_changed() -> None:
    """Let a service read the parameters that have changed, and no others.

    With each update of the controller it reads all of them again, value and description, because it
    compares what it has, a value, with the identity of what it should have: two thirds of what a
    posted parameter costs.
    """
    equal = WorkParameter.__eq__

    def is_same(self: WorkParameter, other: object) -> bool:
        if not isinstance(other, UUID):
            return equal(self, other)
        # Without a value its description was not there yet: that is asked for again.
        return self.uuid == other and self.value is not None

    WorkParameter.__eq__ = is_same
