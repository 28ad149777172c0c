"""The table of cameras."""

import pytest

from pipeline.model.cameras import BY_RANK, CAMERAS, Unit, check_camera, ranked


def test_each_camera_stands_under_the_name_of_its_stream() -> None:
    assert list(CAMERAS) == ["pilatus", "andor3_zyla10", "andor3_zyla12", "andor3_balor"]
    assert all(stream == camera.stream for stream, camera in CAMERAS.items())


def test_the_unit_follows_from_the_kind_of_detector() -> None:
    assert CAMERAS["pilatus"].unit == Unit.TOT
    assert CAMERAS["andor3_balor"].unit == Unit.ADU


def test_a_frame_has_the_size_of_all_its_pixels() -> None:
    assert CAMERAS["andor3_balor"].frame_bytes == 4104 * 4128 * 2
    assert CAMERAS["pilatus"].frame_bytes == 831 * 1475 * 4


def test_nobody_can_change_the_table() -> None:
    with pytest.raises(TypeError):
        CAMERAS["eiger"] = CAMERAS["pilatus"]  # type: ignore[index]


def test_the_balor_stands_for_a_scan_before_all_others() -> None:
    assert ranked(CAMERAS) == BY_RANK
    assert ranked(["andor3_zyla12", "sardana", "pilatus", "pilatus"]) == (
        "pilatus",
        "andor3_zyla12",
    )


def test_a_camera_is_named_by_its_stream_or_not_at_all() -> None:
    assert check_camera("pilatus") == "pilatus"
    assert check_camera("") == ""
    with pytest.raises(ValueError, match=r"'eiger'.*pilatus"):
        check_camera("eiger")
