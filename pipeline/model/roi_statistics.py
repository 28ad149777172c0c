"""What is measured of each ROI in each frame."""

STATISTICS = ("mean", "sum", "max", "x", "y", "width_x", "width_y")
"""In the order of the columns of every array of statistics; the first is the default."""

UNITS = {"x": "pixel", "y": "pixel", "width_x": "pixel", "width_y": "pixel"}
"""Those of the others are the image's own."""
