"""HTTP to dranspose: its services, their state, trigger maps."""
