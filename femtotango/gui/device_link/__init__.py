"""The viewer's connection to the device: one Tango thread, readings, and calls that never block."""
