"""What is typed is what is sent: a comma is a decimal point, and what cannot be is told."""

import pytest

from pipeline.model.parameters import ATTRIBUTES

pytestmark = [pytest.mark.gui, pytest.mark.slow]


@pytest.fixture
def window(open_viewer, device_alone: str):
    """Open the viewer of a device without a pipeline, which has its defaults."""
    import tango

    device = tango.DeviceProxy(device_alone)
    for name, parameter in ATTRIBUTES.items():
        device.write_attribute(name, parameter.default)
    return open_viewer(device_alone), device


def forms(viewer):
    parts = viewer.window
    return (
        parts.geometry_panel.form,
        parts.settings.photons,
        parts.settings.camera,
        parts.histogram.range,
        parts.azimuthal.bins,
    )


@pytest.mark.parametrize("text", ["0,131", "0.131", " 0,131 m", ".131", "1.31e-1"])
def test_a_comma_is_a_decimal_point(window, text: str) -> None:
    viewer, device = window
    field = viewer.window.geometry_panel.form.fields["Distance"]
    viewer.enter(field, text)
    viewer.wait("what was typed", lambda: device.Distance == pytest.approx(0.131))
    viewer.wait("it in the field", lambda: field.text() == "0.131 m")
    assert not viewer.error_line


def test_every_field_refuses_what_is_beyond_its_limits(window) -> None:
    from femtotango.gui.panels.number_field import NumberField

    viewer, device = window
    tried = 0
    for form in forms(viewer):
        for name, field in form.fields.items():
            if not isinstance(field, NumberField):
                continue
            before = device.read_attribute(name).value
            limits = ATTRIBUTES[name].limits
            wrong = ["1,2,3", "left", "1_0"]
            if limits is not None:
                low, high = limits
                wrong += [f"{value:.10g}" for value in (low - 1, high + 1, 10 * high)]
            for text in wrong:
                viewer.type(field, text)
                assert field.problem and field.styleSheet(), (name, text)
                viewer.enter(field, text)
                assert name in viewer.error_line and "Nothing was sent" in viewer.error_line
                if limits is not None:
                    assert f"{limits[1]:g}" in viewer.error_line, viewer.error_line
                    assert f"{limits[1]:g}" in field.toolTip()
                assert field.text().startswith(text), "it can be corrected"
                tried += 1
            field.clearFocus()
            assert field.text().startswith(text) and field.styleSheet()
            viewer.enter(field, f"{before:g}")
            assert not field.styleSheet() and not field.problem
            assert device.read_attribute(name).value == before
    assert tried > 60
    viewer.wait("no write", lambda: not viewer.window.link._jobs._jobs)


def test_escape_brings_the_value_back(window) -> None:
    from support.viewer import QtCore

    viewer, device = window
    field = viewer.window.geometry_panel.form.fields["Tilt"]
    viewer.enter(field, "12,5")
    viewer.wait("the tilt", lambda: device.Tilt == 12.5)
    viewer.enter(field, "95")
    viewer.press(field, QtCore.Qt.Key.Key_Escape)
    assert field.text() == "12.5 deg" and not field.styleSheet()
    assert device.Tilt == 12.5


def test_what_another_client_writes_replaces_what_was_refused(window) -> None:
    viewer, device = window
    field = viewer.window.geometry_panel.form.fields["Tilt"]
    viewer.enter(field, "95")
    field.clearFocus()
    device.Tilt = 3.0
    viewer.wait("its value", lambda: field.text() == "3 deg" and not field.styleSheet())


def test_zero_that_means_not_set_says_so(window) -> None:
    viewer, device = window
    fields = viewer.window.geometry_panel.form.fields
    viewer.wait("words", lambda: fields["PhotonEnergy"].text() == "not set")
    assert fields["Distance"].text() == "not set"
    viewer.enter(fields["PhotonEnergy"], "13,5")
    viewer.wait("the energy", lambda: device.PhotonEnergy == 13.5)
    viewer.enter(fields["PhotonEnergy"], "0")
    viewer.wait("none", lambda: device.PhotonEnergy == 0.0)
    viewer.wait("words again", lambda: fields["PhotonEnergy"].text() == "not set")
