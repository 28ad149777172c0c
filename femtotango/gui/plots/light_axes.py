"""Make matplotlib's axes fast to draw: their numbers take longer than the image."""

from collections.abc import Sequence
from itertools import pairwise

from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.ticker import Formatter, MaxNLocator

from silx.gui.plot import PlotWidget  # isort: skip

from femtotango.gui.plots.tick_text import tick_text

_NUMBERS = 6
"""Most intervals along an axis."""


class _PlainNumbers(Formatter):
    """Writes each number in full: there is no room for a common factor at the end of the axis."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        return f"{x:g}"

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        ticks = [float(value) for value in values]
        largest = max(map(abs, ticks), default=0.0)
        step = min((abs(b - a) for a, b in pairwise(ticks)), default=largest)
        return [tick_text(tick, step, largest) for tick in ticks]


def lighten(plot: PlotWidget, most_y: int = _NUMBERS) -> None:
    """Draw few numbers, as plain text, and none on the second axes, which are not used.

    Args:
        plot: a plot with silx's matplotlib backend.
        most_y: most intervals along the y axis, fewer for a plot that is low.
    """
    canvas = plot.getWidgetHandle()
    if not isinstance(canvas, FigureCanvasBase):
        return
    main, *others = canvas.figure.axes
    for axis, most in ((main.xaxis, _NUMBERS), (main.yaxis, most_y)):
        axis.set_major_formatter(_PlainNumbers())
        axis.set_major_locator(MaxNLocator(most, steps=[1, 2, 2.5, 5, 10]))
    for axes in others:
        axes.xaxis.set_visible(False)
        axes.yaxis.set_visible(False)
