"""Each condition of trust alone, and what it says."""

import dataclasses

import pytest

from pipeline.model.parameters import Settings
from pipeline.photons.trust import Evidence, alarms, distrust, pileup_share

SETTINGS = Settings().replaced("photon_roi", '{"x": 0, "y": 0, "width": 9, "height": 9}')
GOOD = Evidence(photons=5000, pileup=50, skipped_frames=0, densest=0.0)


def changed(**values) -> Evidence:
    return dataclasses.replace(GOOD, **values)


def test_all_conditions_hold():
    assert distrust(GOOD, SETTINGS) == ""
    assert alarms(GOOD, SETTINGS) == []


@pytest.mark.parametrize(
    "evidence, words, alarm",
    [
        (changed(photons=99, pileup=0), "Too few photons", False),
        (changed(pileup=101), "PileupThreshold", True),
        (changed(skipped_frames=1, densest=0.3), "skipped", True),
    ],
)
def test_not_trusted(evidence, words, alarm):
    assert words in distrust(evidence, SETTINGS)
    assert any(words in sentence for sentence in alarms(evidence, SETTINGS)) == alarm


def test_without_photon_roi_there_is_nothing_to_trust():
    assert "PhotonRoi" in distrust(GOOD, Settings())


def test_photons_close_to_the_noise_are_no_reason_to_drop_raw_data():
    matched = SETTINGS.replaced("matched_filter", '{"camera": "andor3_balor"}')
    assert "keep the raw data" in distrust(GOOD, matched)


def test_the_scan_before_counts_while_this_one_is_young():
    young = changed(photons=3, pileup=0, previous_photons=100)
    assert not distrust(young, SETTINGS)
    assert distrust(changed(photons=99, pileup=0, previous_photons=99), SETTINGS)


def test_pile_up_limit_is_inclusive():
    assert not distrust(changed(photons=1000, pileup=20), SETTINGS)
    assert distrust(changed(photons=1000, pileup=21), SETTINGS)


def test_one_pile_up_among_the_first_photons_says_nothing():
    young = changed(photons=20, pileup=1, previous_photons=500, previous_pileup=2)
    assert pileup_share(young) == 3 / 520
    assert not distrust(young, SETTINGS)
    assert distrust(dataclasses.replace(young, pileup=19), SETTINGS)


def test_a_scan_that_piled_up_is_remembered_until_the_next_has_shown_better():
    after = changed(photons=0, pileup=0, previous_photons=500, previous_pileup=50)
    assert distrust(after, SETTINGS)
    assert not distrust(dataclasses.replace(after, photons=100), SETTINGS)


def test_no_photon_at_all_is_no_pile_up():
    assert pileup_share(changed(photons=0, pileup=0)) == 0


def test_the_newest_photons_count_as_well_as_the_scan():
    stronger = changed(photons=10_000_000, pileup=0, newest_photons=10_000, newest_pileup=201)
    assert pileup_share(stronger) == 0.0201
    assert distrust(stronger, SETTINGS)
    assert not distrust(dataclasses.replace(stronger, newest_pileup=200), SETTINGS)
    assert distrust(dataclasses.replace(stronger, pileup=300_000, newest_pileup=0), SETTINGS)
