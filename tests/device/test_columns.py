"""Numbers of the records as axis of the curves, and the map of two movables, on a whole stack."""

import httpx
import numpy as np
import pytest
from support.waiting import wait_for

from femtotango.simulation.sardana_records import post_record
from pipeline.protocols.sardana import data_description, record_data, record_end
from pipeline.protocols.stins import stins_end, stins_header, stins_image
from pipeline.simulation.scan import BurstScan

I0 = "tango://host:10000/expchan/panda/1"
POSITIONS = [(0, 0), (1, 0), (2, 0), (2, 0.5), (1, 0.5)]
"""Five of six points of a mesh in snake order: it is not finished."""


@pytest.fixture
def meshed(player):
    """Play a mesh with a counter that is missing at one point; one frame a point."""
    player.write(Accumulate=True, Rois='{"all": {"x": 0, "y": 0, "width": 30, "height": 20}}')
    player.prepare("pilatus", BurstScan(steps=6, burst=1))
    description = data_description("mesh a b", 3, "/data", "a", (0, 2), 5)
    description["ref_moveables"] = ["a", "b"]
    description["column_desc"].append({"name": I0, "label": "I0"})
    source, url = player.source("pilatus"), player.info["sardana"]
    with httpx.Client(trust_env=False) as client:
        post_record(client, url, description)
        source.send([stins_header(0, "", None)])
        for point, (a, b) in enumerate(POSITIONS):
            source.send(
                [stins_image(point + 1, point, np.full((20, 30), 10.0 * point, np.float32))]
            )
            record = record_data(point, {"a": a, "b": b}, 1.0 * point)
            post_record(client, url, record if point == 1 else {**record, I0: 7.0 - point})
        player.wait_until("XAxis", lambda x: x is not None and len(x) == len(POSITIONS))
        yield player
        source.send([stins_end(7)])
        post_record(client, url, record_end())
    player.device.StopScan()
    player.wait_finished()


def test_axis_and_map_of_a_scan_that_is_not_finished(meshed):
    player = meshed
    means = [[0, 10, 20, 30, 40]]
    assert player.read("XAxis").tolist() == [0, 1, 2, 2, 1]
    assert player.read("XLabel") == "a"
    assert player.read("MapX").tolist() == [0, 1, 2, 2, 1]
    assert player.read("MapY").tolist() == [0, 0, 0, 0.5, 0.5]
    assert player.read("MapValues").tolist() == means
    assert player.read("MapLabels") == ("a", "b")
    player.write(XSource="I0")
    player.wait_until("XLabel", lambda label: label == "I0")
    wait_for(lambda: player.read("XAxis")[0] == 7, "the counter as axis")
    np.testing.assert_array_equal(player.read("XAxis"), [7, np.nan, 5, 4, 3])
    assert player.read("RoiMeanCurves").tolist() == means
    player.write(XSource="I1")
    player.wait_until("XLabel", lambda label: label == "a")
    wait_for(lambda: "'I1' is no axis of this scan" in player.device.status())
    assert I0 in player.device.status()
