"""The setting of the matched filter: one text, and what it means."""

import pytest

from pipeline.model.matched import MatchedSettings, format_matched, parse_matched
from pipeline.model.parameter import ParameterError
from pipeline.model.parameters import PARAMETERS, Settings


def test_it_survives_its_text_and_its_bytes() -> None:
    wanted = MatchedSettings("andor3_zyla12", "/data/märz.h5", 0.8, 0.1)
    assert parse_matched(format_matched(wanted)) == wanted
    assert parse_matched(format_matched(None)) is None
    parameter = PARAMETERS["matched_filter"]
    assert parameter.decode(parameter.encode(format_matched(wanted))) == format_matched(wanted)
    short = Settings().replaced("matched_filter", '{"camera": "andor3_balor"}')
    assert short.matched == MatchedSettings("andor3_balor")
    assert short == Settings().replaced("matched_filter", short.matched_filter)


def test_it_says_whose_photons_are_searched() -> None:
    assert Settings().photon_streams == {"andor3_balor"}
    zyla = Settings().replaced("matched_filter", '{"camera": "andor3_zyla10"}')
    assert zyla.photon_streams == {"andor3_zyla10"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[", "not JSON"),
        ("[1]", "JSON object with camera, calibration"),
        ('{"camera": "andor3_balor", "sigma": 1}', "JSON object with camera"),
        ('{"cloud": 0.7}', "camera = ''"),
        ('{"camera": "pilatus"}', "camera = 'pilatus'"),
        ('{"camera": "nikon"}', "nikon"),
        ('{"camera": "andor3_balor", "cloud": 9}', "cloud = 9"),
        ('{"camera": "andor3_balor", "cloud": "wide"}', "cloud = 'wide'"),
        ('{"camera": "andor3_balor", "calibration": 3}', "calibration = 3"),
        ('{"camera": "andor3_balor", "false_per_frame": 0}', "false_per_frame = 0"),
    ],
)
def test_what_it_cannot_be(text: str, said: str) -> None:
    with pytest.raises(ParameterError, match=said.replace("[", r"\[")):
        Settings().replaced("matched_filter", text)
