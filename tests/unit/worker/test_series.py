"""Messages of an aborted series are told apart by their camera's header."""

from pipeline.worker.series import AnySeries, Series


def test_a_message_counts_between_header_and_end_of_its_own_camera() -> None:
    series = Series()
    assert not series.has_begun("pilatus")
    series.begin("pilatus")
    assert series.has_begun("pilatus")
    assert not series.has_begun("andor3_zyla12")
    series.end("pilatus")
    assert not series.has_begun("pilatus")
    series.begin("pilatus")
    assert series.has_begun("pilatus")


def test_in_a_replay_every_message_counts() -> None:
    assert AnySeries().has_begun("pilatus")
