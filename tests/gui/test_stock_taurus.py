"""Stock Taurus forms show the device without any code of ours."""

import warnings

import numpy as np
import pytest

from femtotango.gui.device_link.names import parse_device_name

pytestmark = [pytest.mark.gui, pytest.mark.slow]

VALUES = {
    "PhotonEnergy": 13.5,
    "Distance": 0.131,
    "Tilt": 0.25,
    "BeamX": 210.125,
    "MaxPileup": 0.015,
    "PhotonThreshold": 110.5,
    "HistogramBins": 300,
    "Accumulate": True,
}
LABELS = {"PhotonEnergy": "Photon Energy", "BeamX": "Beam X", "HistogramBins": "Histogram Bins"}
UNITS = {"PhotonEnergy": "keV", "Distance": "m"}


@pytest.fixture
def form(viewer, player):
    """Show the stock form; the viewer's loop drives it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from taurus.qt.qtgui.panel import TaurusForm

        player.write(**VALUES)
        name = parse_device_name(player.info["device"])
        form = TaurusForm()
        form.setModel([name.attribute(attribute) for attribute in VALUES])
        form.show()
        yield form
        form.setModel(None)
        form.close()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_values_labels_and_units_are_right_and_apply_changes_nothing(viewer, player, form) -> None:
    for item, (attribute, value) in zip(form, VALUES.items(), strict=True):
        viewer.wait(attribute, lambda item=item: item.readWidget() and item.writeWidget())
        viewer.wait("its label", lambda item=item: item.labelWidget() and item.labelWidget().text())
        if attribute in LABELS:
            assert item.labelWidget().text() == LABELS[attribute]
        if isinstance(value, bool):
            continue
        viewer.wait(
            f"{attribute} = {value}",
            lambda item=item, value=value: np.isclose(
                float(item.readWidget().text()), value, rtol=0, atol=1e-9
            ),
        )
        if attribute in UNITS:
            assert UNITS[attribute] in item.unitsWidget().text()
    for item, attribute in zip(form, VALUES, strict=True):
        viewer.wait(
            f"no pending change of {attribute}",
            lambda item=item: not item.hasPendingOperations(),
        )
    form.apply()
    viewer.wait("nothing to happen", lambda: True)
    assert {name: player.read(name) for name in VALUES} == VALUES
