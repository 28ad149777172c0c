import importlib.util
import json
import math
from datetime import datetime
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from dranspose.data.sardana import SardanaDataDescription, SardanaRecordData
from sardana.macroserver.scan.scandata import ColumnDesc

from femtotango.sardana.config_yaml import RECORDER_PATH


@pytest.fixture(scope="module")
def recorder() -> ModuleType:
    """Load it as Sardana does: a file of a directory, not a module of a package."""
    path = Path(RECORDER_PATH, "femtomax_recorder.py")
    spec = importlib.util.spec_from_file_location("femtomax_recorder", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_record_is_what_the_ingester_takes(recorder):
    data = {
        "point_nb": np.int64(3),
        "mot": np.float64(1.5),
        "roi1": math.nan,
        "curve": np.array([1.0, math.inf]),
        "image": np.zeros((100, 100)),
        "path": "scan.h5:/entry",
        "dark": None,
        "flag": True,
        "when": datetime(2024, 11, 21),
        "timestamp": 0.5,
    }
    record = recorder.record_data(data)
    assert json.loads(json.dumps(record, allow_nan=False)) == {
        "type": "RecordData",
        "point_nb": 3,
        "mot": 1.5,
        "roi1": None,
        "curve": [1.0, None],
        "path": "scan.h5:/entry",
        "dark": None,
        "flag": True,
        "when": "2024-11-21 00:00:00",
        "timestamp": 0.5,
    }
    assert SardanaRecordData(**record).timestamp == 0.5


def test_record_always_has_a_timestamp(recorder):
    assert recorder.record_data({"timestamp": None})["timestamp"] == 0.0
    assert recorder.record_data({})["timestamp"] == 0.0


def test_description_is_what_the_ingester_takes(recorder):
    description = recorder.description(
        {
            "serialno": 7,
            "ScanDir": None,
            "ScanFile": None,
            "title": "ascan mot 0 1 2 0.1",
            "datadesc": [
                ColumnDesc(name="mot", label="mot", dtype="float64", instrument=object()),
                ColumnDesc(name="curve", shape=[200]),
            ],
            "ref_moveables": ["mot"],
            "estimatedtime": -math.inf,
            "total_scan_intervals": 2,
            "starttime": datetime(2024, 11, 21),
            "counters": ["tango://host:1/expchan/roi/1"],
        }
    )
    json.dumps(description, allow_nan=False)
    assert [column["name"] for column in description["column_desc"]] == ["mot"]
    parsed = SardanaDataDescription(**description)
    assert (parsed.serialno, parsed.scandir) == (7, "")
    assert description["ref_moveables"] == ["mot"]
