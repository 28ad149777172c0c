"""Files of dark levels and masks, as settings carry them."""

import json

import numpy as np
import pytest

from pipeline.model.correction_files import (
    CorrectionFile,
    Corrections,
    digest_of,
    format_files,
    parse_corrections,
    parse_files,
)
from pipeline.model.dark_request import DarkRequest, parse_request
from pipeline.model.ledger import ledger
from pipeline.model.parameter import ParameterError
from pipeline.model.parameters import Settings

ZYLA = "andor3_zyla10"
DARK = CorrectionFile("/data/dunkel é.h5", "0123456789abcdef")
MASK = CorrectionFile("/data/mask.edf", "0123456789abcdee")


def test_files_go_through_json() -> None:
    files = {"pilatus": MASK, ZYLA: DARK}
    assert parse_files(format_files(files)) == files
    assert format_files({}) == ""
    assert parse_files('{"pilatus": "/a/b.h5"}') == {"pilatus": CorrectionFile("/a/b.h5")}


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "[]",
        '{"zyla": "/a"}',
        '{"": "/a"}',
        '{"pilatus": "a"}',
        '{"pilatus": {"file": 3}}',
        '{"pilatus": "/a\\\\b"}',
        '{"pilatus": {"file": "/a", "sha256": "no"}}',
    ],
)
def test_what_names_no_file_is_refused(text: str) -> None:
    for parameter in ("dark", "mask"):
        with pytest.raises(ParameterError):
            Settings().replaced(parameter, text)


def test_corrections_are_those_of_the_camera() -> None:
    settings = Settings(dark=format_files({ZYLA: DARK}), mask=format_files({"pilatus": MASK}))
    settings = settings.replaced("mask_noise", 4.0)
    assert settings.corrections(ZYLA) == Corrections(DARK, None, 4.0)
    assert settings.corrections("pilatus") == Corrections(None, MASK, 0.0)
    assert settings.corrections("andor3_balor") == Corrections()
    for stream in (ZYLA, "pilatus", "andor3_balor"):
        corrections = settings.corrections(stream)
        assert parse_corrections(corrections.as_text()) == corrections


def test_a_digest_tells_contents_apart() -> None:
    one = np.zeros((2, 3), bool)
    assert digest_of(one) != digest_of(one.T)
    assert digest_of(one) != digest_of(~one)
    assert digest_of(one) == digest_of(one.copy())


def test_requests_of_dark_levels() -> None:
    request = DarkRequest("17a", ZYLA, 20)
    assert parse_request(str(request)) == request
    assert Settings().requested_dark is None
    for text in ("1", "1 x 20", f"1 {ZYLA} 2", f"1 {ZYLA} x", f"1 {ZYLA} 20 4"):
        with pytest.raises(ParameterError):
            Settings().replaced("dark_request", text)


def test_the_ledger_names_dark_and_mask() -> None:
    text = Corrections(DARK, MASK, 4.0).as_text()
    found = json.loads(ledger(ZYLA, "ADU", 3, (), Settings(), {text: 3}))
    assert found["dark"] == {"file": DARK.path, "sha256": DARK.digest}
    assert found["mask"] == {"file": MASK.path, "sha256": MASK.digest, "noise": 4.0}
    assert "corrections" not in found
    found = json.loads(ledger(ZYLA, "ADU", 5, (), Settings(), {text: 3, "": 2}))
    assert (found["dark"], found["mask"]) == ({"background": 100.0}, None)
    assert [one["frames"] for one in found["corrections"]] == [3, 2]
