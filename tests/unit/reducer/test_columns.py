"""Numbers of the records as columns, whatever else stands in them."""

import math

import numpy as np

from pipeline.reducer.columns import MAX_COLUMNS, Columns

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
