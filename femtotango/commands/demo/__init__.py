"""`femtotango demo` and the modules that only it uses."""

from femtotango.commands.demo.command import demo

__all__ = ["demo"]
