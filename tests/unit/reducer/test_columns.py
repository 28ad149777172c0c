"""Numbers of the records as columns, whatever else stands in them."""

import math

import numpy as np

from pipeline.model.parameters import Settings
from pipeline.model.roi import Roi
from pipeline.protocols.batch import Batch, CameraResult, EventResult, FrameResult, StartInfo
from pipeline.reducer.columns import MAX_COLUMNS, Columns
from pipeline.reducer.scan import ScanState
from pipeline.reducer.scan_curves import ScanCurves

I0 = "tango://host:10000/expchan/panda/1"


def test_numbers_are_columns_and_nothing_else_is():
    columns = Columns()
    for point in range(3):
        record = {"type": "RecordData", "point_nb": point, "m": point / 2, I0: 5 - point}
        columns.add_record({**record, "on": True, "array": [1, 2], "text": "1"}, ("m",))
    assert columns.names == ("m", "point_nb", I0)
    np.testing.assert_array_equal(columns.values("m"), [0, 0.5, 1])
    np.testing.assert_array_equal(columns.values(I0), [5, 4, 3])
    assert np.isnan(columns.values("text")).all()


def test_what_is_missing_null_or_too_large_is_nan():
    columns = Columns()
    columns.add_record({I0: 1.0}, ("m",))
    columns.add_record({"m": None, I0: math.nan}, ("m",))
    columns.add_record({"m": 2, I0: 10**400}, ("m",))
    columns.add_record({"m": 3, "late": 7}, ("m",))
    np.testing.assert_array_equal(columns.values("m"), [np.nan, np.nan, 2, 3])
    np.testing.assert_array_equal(columns.values(I0), [1, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(columns.values("late"), [np.nan, np.nan, np.nan, 7])


def test_a_column_is_found_by_name_label_and_path():
    columns = Columns()
    columns.describe({"column_desc": [{"name": I0, "label": "I0"}, {"name": "m"}, 7, {"label": 1}]})
    assert columns.known == (I0, "m")
    assert columns.find("I0") == columns.find(I0) == columns.find(I0.replace("/", "_")) == I0
    assert columns.find("m") == "m"
    assert columns.find("other") is None
    columns.add_record({"other/1": 1}, ())
    assert columns.find("other/1") == columns.find("other_1") == "other/1"
    columns.describe({"column_desc": "none"})


def test_movables_stay_however_many_columns_there_are():
    columns = Columns()
    for _ in range(2):
        record = {f"c{n}": n for n in range(3 * MAX_COLUMNS)}
        columns.add_record({**record, "m": 1.5}, ("m",))
    assert len(columns.names) == MAX_COLUMNS
    assert columns.values("m").tolist() == [1.5, 1.5]


def add(scan: ScanState, event: int, **result) -> None:
    scan.add_batch(Batch("boot", event, "m", "w", event, EventResult(**result)), Settings())


def mesh(records: int) -> ScanState:
    """A scan of two motors in snake order, with a counter that is missing once."""
    scan = ScanState("m", 1)
    columns = [{"name": I0, "label": "I0"}]
    description = {"ref_moveables": ["a", "b"], "column_desc": columns}
    add(scan, 0, description=description, cameras=(header(),))
    for point in range(records):
        row, column = divmod(point, 3)
        a = column if row % 2 == 0 else 2 - column
        frame = FrameResult(
            "pilatus", point, ("roi",), np.array([10.0 * point]), False, 0, photons=None
        )
        event = 2 * point + 1
        add(scan, event, cameras=(CameraResult("pilatus", frame=frame),))
        record = {"a": float(a), "b": 0.5 * row, **({} if point == 1 else {I0: 5.0 + point})}
        add(scan, event + 1, record=record)
    return scan


def header() -> CameraResult:
    return CameraResult("pilatus", start=StartInfo("pilatus", "", {}, ""))


ROIS = {"roi": Roi(0, 0, 1, 1)}


def test_the_axis_of_the_curves_is_the_named_column():
    scan = mesh(5)
    assert ScanCurves(scan, ROIS).x().tolist() == [0, 1, 2, 2, 1]
    by_counter = ScanCurves(scan, ROIS, "I0")
    np.testing.assert_array_equal(by_counter.x(), [5, np.nan, 7, 8, 9])
    assert by_counter.x_label == "I0"
    assert by_counter.packed().means.tolist() == [[0, 10, 20, 30, 40]]
    unknown = ScanCurves(scan, ROIS, "I1")
    assert unknown.x().tolist() == [0, 1, 2, 2, 1]
    assert unknown.x_label == "a"


def test_a_mesh_has_a_map_also_before_its_end():
    packed = ScanCurves(mesh(5), ROIS, "I0").packed()
    assert packed.map_x.tolist() == [0, 1, 2, 2, 1]
    assert packed.map_y.tolist() == [0, 0, 0, 0.5, 0.5]
    one_motor = ScanState("m", 1)
    add(one_motor, 0, description={"ref_moveables": ["a"]}, cameras=(header(),))
    assert not len(ScanCurves(one_motor, ROIS).packed().map_x)
