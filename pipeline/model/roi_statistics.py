"""What is measured of each ROI in each frame."""

STATISTICS = ("mean", "sum", "max", "x", "y", "width_x", "width_y")
"""In the order of the columns of every array of statistics; the first is the default."""

COLUMNS = (*STATISTICS, "pixels")
"""Behind the statistics, how many valid pixels they are from."""

COMPARED = ("mean", "sum", "max")
"""Statistics that a ROI's minus and over change; place and width are above the border anyway."""

UNITS = {"x": "pixel", "y": "pixel", "width_x": "pixel", "width_y": "pixel"}
"""Those of the others are the image's own."""
