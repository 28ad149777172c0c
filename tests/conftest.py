"""Fixtures for all tests."""

pytest_plugins = ("support.stack", "support.recordings")
