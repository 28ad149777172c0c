"""Make matplotlib's axes fast to draw: their numbers take longer than the image."""

from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.ticker import MaxNLocator, ScalarFormatter

from silx.gui.plot import PlotWidget  # isort: skip

_NUMBERS = 6
"""Most intervals along an axis."""


def lighten(plot: PlotWidget) -> None:
    """Draw few numbers, as plain text, and none on the second axes, which are not used.

    Args:
        plot: a plot with silx's matplotlib backend.
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
