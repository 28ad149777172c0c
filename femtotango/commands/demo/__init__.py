"""`femtotango demo` and what only it needs."""

from femtotango.commands.demo.command import demo

__all__ = ["demo"]
