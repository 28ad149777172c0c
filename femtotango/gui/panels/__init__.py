"""The parts of the window: each is a Taurus widget of its own."""
