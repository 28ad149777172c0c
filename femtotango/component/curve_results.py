"""The attributes of curves and maps of the scan: ROI values over motor positions."""

from femtotango.component import result_readers as readers
from femtotango.component.result_row import Result
from femtotango.text_encoding import latin
from pipeline.model.roi import MAX_ROIS
from pipeline.protocols.snapshot import MAX_CURVE_POINTS

_MOST_COLUMNS = 1000

CURVE_RESULTS: tuple[Result, ...] = (
    Result(
        "RoiMeanCurves",
        float,
        "Values (roi, point) over XAxis, of what RoiStatistic says: means over each step.",
        lambda view: view.curves.rows(view.roi_names, view.curves.means),
        dims=(MAX_CURVE_POINTS, MAX_ROIS),
        events=False,
    ),
    Result(
        "RoiMeanErrors",
        float,
        "Standard errors of RoiMeanCurves; NaN where there is one frame only.",
        lambda view: view.curves.rows(view.roi_names, view.curves.errors),
        dims=(MAX_CURVE_POINTS, MAX_ROIS),
        events=False,
    ),
    Result(
        "XAxis",
        float,
        "Motor positions, or frame numbers, of the curves.",
        lambda view: view.curves.x,
        dims=(MAX_CURVE_POINTS,),
    ),
    Result("XLabel", str, "What XAxis holds.", readers.text(lambda p: p.x_label, this_scan=True)),
    Result(
        "ColumnNames",
        str,
        'Numbers of the records: XSource may name one, and the "over" of a ROI as column:NAME.',
        lambda view: [latin(name) for name in view.of_this_scan.scan.column_names[:_MOST_COLUMNS]],
        dims=(_MOST_COLUMNS,),
    ),
    Result(
        "MapX",
        float,
        "Positions of the first of two movables, of the points of MapValues; empty without two.",
        lambda view: view.curves.map_x,
        dims=(MAX_CURVE_POINTS,),
    ),
    Result(
        "MapY",
        float,
        "Positions of the second movable.",
        lambda view: view.curves.map_y,
        dims=(MAX_CURVE_POINTS,),
    ),
    Result(
        "MapLabels",
        str,
        "Names of the two movables of MapX and MapY; empty without two.",
        readers.map_labels,
        dims=(2,),
    ),
    Result(
        "MapValues",
        float,
        "Means (roi, point) over MapX and MapY; empty without two movables.",
        readers.map_values,
        dims=(MAX_CURVE_POINTS, MAX_ROIS),
        events=False,
    ),
)
