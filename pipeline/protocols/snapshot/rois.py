"""What is published of each ROI: means and statistics, by frame and by motor step."""

from pipeline.protocols.groups import (
    Group,
    Rendered,
    ValueOf,
    group,
    hidden,
    plotted,
    published,
    rendered,
)

MAX_CURVE_POINTS = 100_000
"""Points that a ROI curve keeps at most: frames or motor steps; older ones are dropped."""


@published
class StepMeans(Group):
    """A ROI's means per motor step."""

    nexus = plotted("y", "x")

    x: Rendered = rendered(
        "Positions of the first movable.",
        dtype="float64",
        shape="(step,)",
        attributes={"long_name": ValueOf("x_label")},
    )
    y: Rendered = rendered(
        "Means over the frames of each step.",
        dtype="float64",
        shape="(step,)",
        attributes={"long_name": ValueOf("y_label")},
    )
    y_errors: Rendered = rendered(
        "Their standard errors; NaN for one frame.", dtype="float64", shape="(step,)"
    )
    n: Rendered = rendered("Frames in each mean.", dtype="int64", shape="(step,)")
    x_label: str = hidden()
    y_label: str = hidden()


@published
class RoiStatistic(Group):
    """One statistic of a ROI, minus and over applied; its unit is that of the image or pixels."""

    nexus = plotted("y", "x")

    frames: Rendered = rendered("Per frame of this scan.", dtype="float64", shape="(frame,)")
    x: Rendered | None = rendered(
        "Positions of the first movable.", default=None, dtype="float64", shape="(step,)"
    )
    y: Rendered | None = rendered(
        "Mean over the frames of each step; with over, the ratio of the sums.",
        default=None,
        dtype="float64",
        shape="(step,)",
    )
    y_errors: Rendered | None = rendered(
        "Their standard errors; NaN for one frame.", default=None, dtype="float64", shape="(step,)"
    )
    n: Rendered | None = rendered("Frames in each.", default=None, dtype="int64", shape="(step,)")
    left_out: Rendered | None = rendered(
        "Frames without a denominator above 0.", default=None, dtype="int64", shape="(step,)"
    )


@published
class RoiStatistics(Group):
    """All statistics of a ROI; x, y and widths [pixel] are of what stands above its border."""

    mean: RoiStatistic = group()
    sum: RoiStatistic = group()
    max: RoiStatistic = group()
    x: RoiStatistic = group()
    y: RoiStatistic = group()
    width_x: RoiStatistic = group()
    width_y: RoiStatistic = group()
