"""The Tango device class; nothing else here knows Tango."""

from femtotango.device.analysis import FemtomaxAnalysis, main

__all__ = ["FemtomaxAnalysis", "main"]
