"""Sardana: macros, channels, recorder and configuration that use the Tango device."""
