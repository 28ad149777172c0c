"""Macros: a directory for the MacroPath of a MacroServer."""
