import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.parameter import ParameterError
from pipeline.model.parameters import ATTRIBUTES, PARAMETERS, Settings, settings_from_bytes

BY_KIND = {
    bool: st.booleans(),
    int: st.integers(1, 10_000),
    float: st.floats(0.2, 0.9),
}


def test_attributes_are_named_as_clients_know_them() -> None:
    assert {"Accumulate", "CmosThreshold", "PhotonRoi", "BeamX", "AzimuthalBins"} <= set(ATTRIBUTES)
    assert "AccumulationId" not in ATTRIBUTES
    assert "OutputFolder" not in ATTRIBUTES


@given(st.data())
def test_every_number_survives_its_bytes(data: st.DataObject) -> None:
    for parameter in PARAMETERS.values():
        if parameter.kind is not str:
            values = BY_KIND[parameter.kind]
            if parameter.choices:
                values = st.integers(0, len(parameter.choices) - 1)
            value = parameter.check(data.draw(values))
            assert parameter.decode(parameter.encode(value)) == value


def test_defaults_survive_their_bytes() -> None:
    settings, refused = settings_from_bytes(Settings().to_bytes(), Settings(accumulate=True))
    assert settings == Settings()
    assert refused == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("background", -1.0),
        ("background", math.nan),
        ("hot_pixel_ratio", 0.1),
        ("histogram_bins", 0),
        ("histogram_bins", 2.5),
        ("accumulate", "yes"),
        ("tilt", 90.0),
        ("rois", '{"a": {"x": 1}}'),
        ("photon_roi", "["),
    ],
)
def test_a_refusal_names_value_and_parameter(name: str, value: object) -> None:
    with pytest.raises(ParameterError) as caught:
        PARAMETERS[name].check(value)
    assert name.replace("_", "") in str(caught.value).replace("_", "").lower() or "ROI" in str(
        caught.value
    )


def test_what_cannot_be_read_keeps_its_last_good_value_and_is_told() -> None:
    last = Settings(background=90.0, accumulate=True)
    data = {
        "background": b"abc",
        "cmos_threshold": b"15",
        "accumulate": b"perhaps",
        "other": b"\xff",
    }
    settings, refused = settings_from_bytes(data, last)
    assert settings == Settings(background=90.0, accumulate=True, cmos_threshold=15.0)
    assert len(refused) == 2
    assert "abc" in refused[0] + refused[1]


@pytest.mark.parametrize("word", [b"True", b"true", b"1"])
def test_true_in_the_spellings_that_parameter_files_use(word: bytes) -> None:
    assert PARAMETERS["accumulate"].decode(word) is True


@pytest.mark.parametrize("name", ["camera", "geometry_camera"])
def test_a_camera_is_a_known_stream_or_none(name: str) -> None:
    assert Settings().replaced(name, "andor3_zyla12").values()[name] == "andor3_zyla12"
    assert Settings().replaced(name, "").values()[name] == ""
    with pytest.raises(ParameterError, match="eiger"):
        Settings().replaced(name, "eiger")


def test_a_choice_is_told_by_number_or_name() -> None:
    model = PARAMETERS["fit_model"]
    assert model.decode(b"gaussian") == model.decode(b"1") == 1
    assert Settings(fit_model=3).fitted_model == "pseudo-voigt"
    for bad in (-1, 5, 0.5):
        with pytest.raises(ParameterError):
            model.check(bad)
    with pytest.raises(ParameterError, match="expected"):
        model.decode(b"sinc")
