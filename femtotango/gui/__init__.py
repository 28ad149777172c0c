"""The live viewer: one window of small Taurus widgets that reach the device by Tango alone."""
