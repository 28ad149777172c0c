"""Values that everything else is made of: parameters, cameras, ROIs, frame ranges."""
