"""A scan of two movables as a map, in whatever order its points were measured."""

import json
import os

import httpx
import numpy as np
import pytest

from femtotango.simulation.sardana_records import post_record
from pipeline.protocols.sardana import data_description, record_data, record_end
from pipeline.protocols.stins import stins_end, stins_header, stins_image
from pipeline.simulation.scan import BurstScan

pytestmark = [pytest.mark.gui, pytest.mark.slow]

COLUMNS, ROWS = 8, 5
X = np.array([0.0, 0.5, 1.0, 1.5, 2.5, 3.0, 3.5, 4.0])
"""Unequal steps."""


def positions():
    """Yield the points of a mesh in snake order."""
    for row in range(ROWS):
        for column in range(COLUMNS) if row % 2 == 0 else reversed(range(COLUMNS)):
            yield float(X[column]), 0.25 * row


def brightness(x: float, y: float) -> float:
    return round(1000 * np.exp(-((x - 1.5) ** 2) - 4 * (y - 0.5) ** 2), 1)


def test_a_mesh_is_a_map_while_it_is_measured(viewer, player) -> None:
    roi = {"x": 0, "y": 0, "width": 30, "height": 20}
    player.write(Rois=json.dumps({"all": roi, "corner": {**roi, "width": 3}}))
    scan = BurstScan(steps=COLUMNS * ROWS, burst=1)
    player.prepare("pilatus", scan)
    description = data_description("mesh mx my", 3, "/data", "mx", (0, 4), COLUMNS * ROWS - 1)
    description["ref_moveables"] = ["mx", "my"]
    points = list(positions())
    window, source = viewer.window, player.source("pilatus")

    def play(numbers: range) -> None:
        for number in numbers:
            x, y = points[number]
            image = np.full((20, 30), brightness(x, y), np.float32)
            source.send([stins_image(number + 1, number, image)])
            record = record_data(number, {"mx": x, "my": y}, 1.0 * number)
            post_record(client, player.info["sardana"], record)

    with httpx.Client(trust_env=False) as client:
        post_record(client, player.info["sardana"], description)
        source.send([stins_header(0, "", None)])
        play(range(COLUMNS + 3))
        viewer.wait("the map", window.map.isVisible)
        viewer.wait("its points", lambda: len(window.map._points) == COLUMNS + 3)
        play(range(COLUMNS + 3, len(points)))
        source.send([stins_end(len(points) + 1)])
        post_record(client, player.info["sardana"], record_end())
    player.wait_finished()
    viewer.wait("all points", lambda: len(window.map._points) == len(points))
    for x, y, value in window.map._points:
        assert value == pytest.approx(brightness(x, y), rel=1e-6)
    assert window.map.describe(1.52, 0.51) == "mx 1.5   my 0.5   all 1000"
    assert window.map.plot.getXAxis().getLabel() == "mx"
    assert not window.curves.isVisible()
    if folder := os.environ.get("FEMTOTANGO_PICTURES"):
        viewer.events()
        window.resize(1280, 900)
        viewer.events()
        window.grab().save(f"{folder}/map.png")
    window.means.as_curves.setChecked(True)
    viewer.wait("the curves", window.curves.isVisible)
    window.means.as_curves.setChecked(False)
    viewer.wait("the map again", window.map.isVisible)


def test_with_one_movable_there_are_curves(viewer, player) -> None:
    scan = BurstScan(steps=2, burst=1)
    player.prepare("pilatus", scan)
    player.play("pilatus", [np.ones((20, 30), np.float32)] * 2, scan)
    player.wait_finished()
    viewer.wait("the curves", viewer.window.curves.isVisible)
    assert not viewer.window.means.as_curves.isVisible()
