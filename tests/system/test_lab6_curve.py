"""A LaB6 recording through replay and Tango: its lines stand out of the azimuthal curve."""

import json

import numpy as np
import pytest
from support.lab6 import CELL, GEOMETRY, standing_out
from support.waiting import wait_for

from femtotango.stack.running import running
from femtotango.stack.tango_client import connect

pytestmark = pytest.mark.slow


def test_lines_stand_out_where_the_cell_says(lab6, tmp_path):
    values = {"accumulate": True, **GEOMETRY}
    path = tmp_path / "params.json"
    path.write_text(json.dumps([{"name": n, "data": str(v)} for n, v in values.items()]))
    with running(["replay", *lab6.files, "-p", str(path), "--keep-alive"]) as info:
        device = connect(info["device"])
        wait_for(lambda: device.ScanFinished, "the end of the replay")
        assert device.FrameCount == 30
        curve = device.AzimuthalQ, device.AzimuthalIntensity, device.AzimuthalErrors
        assert standing_out(*curve) >= 14
        for cell in (CELL * 0.97, CELL * 1.03):
            assert standing_out(*curve, cell) <= 6
        device.UseCalibrant("LaB6")
        wait_for(lambda: len(device.QValues) > 10, "QValues")
        np.testing.assert_allclose(device.QValues[0], 2 * np.pi / CELL, rtol=1e-3)
        rings = np.reshape(device.QCurve(device.QValues[0]), (-1, 2))
        assert np.isfinite(rings).all(axis=1).sum() > 50
