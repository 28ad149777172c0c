"""Fixtures and rules for all tests; README.md in this folder explains them."""

from hypothesis import settings

pytest_plugins = ("support.stack", "support.recordings", "support.leftovers", "support.sharing")

# An example may take as long as it takes on a busy machine: the test has its own time limit.
settings.register_profile("femtotango", deadline=None)
settings.load_profile("femtotango")
