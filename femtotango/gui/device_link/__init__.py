"""The viewer's way to the device: one Tango thread, values that belong together."""
