"""Seeded detectors for the demo and the tests."""
