"""Macros: add this directory to the MacroPath of a MacroServer."""
