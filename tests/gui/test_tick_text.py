"""The numbers at an axis are short, and tell its ticks apart."""

import pytest

from femtotango.gui.plots.tick_text import tick_text


@pytest.mark.parametrize(
    ("ticks", "texts"),
    [
        ([0.0, 250.0, 500.0], ["0", "250", "500"]),
        ([1e-5, 1.25e-5, 1.5e-5], ["1e-5", "1.25e-5", "1.5e-5"]),
        ([-0.5, 0.0, 0.5], ["-0.5", "0", "0.5"]),
        ([1000.01, 1000.02], ["1000.01", "1000.02"]),
        ([1e6, 2e6], ["1e6", "2e6"]),
        ([1.0025e8, 1.005e8], ["1.0025e8", "1.005e8"]),
        ([0.002, 0.004], ["0.002", "0.004"]),
        ([100.0], ["100"]),
    ],
)
def test_each_tick_has_a_number_of_its_own(ticks: list[float], texts: list[str]) -> None:
    step = ticks[1] - ticks[0] if len(ticks) > 1 else ticks[0]
    largest = max(map(abs, ticks))
    assert [tick_text(tick, step, largest) for tick in ticks] == texts
