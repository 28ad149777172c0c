"""Sardana: macros, channels, recorder and configuration; all use the Tango device."""
