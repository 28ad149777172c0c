"""Make matplotlib's axes in a silx plot cheap to draw: numbers cost more than the image."""

from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.ticker import MaxNLocator, ScalarFormatter

from silx.gui.plot import PlotWidget  # isort: skip

_NUMBERS = 6
"""At most so many intervals along an axis."""


def lighten(plot: PlotWidget) -> None:
    """Write few numbers, as plain text, and none on the second axes, which no item of ours uses.

    Args:
        plot: a plot with silx' matplotlib backend.
    """
    canvas = plot.getWidgetHandle()
    if not isinstance(canvas, FigureCanvasBase):
        return
    main, *others = canvas.figure.axes
    for axis in (main.xaxis, main.yaxis):
        axis.set_major_formatter(ScalarFormatter(useMathText=False))
        axis.set_major_locator(MaxNLocator(_NUMBERS, steps=[1, 2, 2.5, 5, 10]))
    for axes in others:
        axes.xaxis.set_visible(False)
        axes.yaxis.set_visible(False)
