"""A beamline in front of the pipeline: detectors, Sardana, the Balor's own device."""
