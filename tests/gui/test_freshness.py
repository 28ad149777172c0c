"""An image is late when frames are expected; before its scan began, nobody expected any."""

from types import SimpleNamespace

import pytest

pytestmark = pytest.mark.gui


def link_to(**values):
    """Return what a link tells."""
    return SimpleNamespace(value=lambda name, default=None: values.get(name, default))


def test_a_new_scan_is_not_late_for_the_pause_before_it(screen) -> None:
    import support.viewer  # noqa: F401 - imports Taurus without its warnings

    from femtotango.gui.device_link.freshness import ScanAge, late_by

    link = link_to(State="RUNNING", LastFrameAge=120.0, FrameRate=0.0)
    assert late_by(link) == 120.0
    assert late_by(link, 2.0) == 0.0
    assert late_by(link, 9.0) == 9.0
    age = ScanAge()
    assert age.of(link_to(ScanNumber=3)) > 1e6, "it ran before this window"
    assert age.of(link_to(ScanNumber=4)) < 60
    assert age.of(link_to()) < 60, "the pipeline does not answer for a moment"


def test_frames_are_expected_in_alarm_too(screen) -> None:
    import support.viewer  # noqa: F401 - imports Taurus without its warnings

    from femtotango.gui.device_link.freshness import ENDLESS, is_live, late_by
    from femtotango.gui.panels.image_words import no_image_versions

    running = {"State": "ALARM", "ScanFinished": False, "EventsTotal": ENDLESS}
    assert is_live(link_to(**running))
    assert late_by(link_to(**running, LastFrameAge=120.0, FrameRate=0.0)) == 120.0
    assert "waiting for the first frame" in no_image_versions(link_to(**running))[0]
    over = link_to(State="ALARM", ScanFinished=True, EventsTotal=ENDLESS)
    assert not is_live(over) and "Go live" in no_image_versions(over)[0]
