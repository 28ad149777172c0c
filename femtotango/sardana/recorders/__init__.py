"""Recorders: a directory for the RecorderPath of a MacroServer."""
