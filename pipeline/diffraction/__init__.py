"""Where the detector stands, rings, and azimuthal integration."""
