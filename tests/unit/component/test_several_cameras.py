"""A view of several cameras: which are in the scan, which is shown, whose geometry it is."""

import json
from dataclasses import replace

import numpy as np
import pytest

from femtotango.component import health
from femtotango.component.geometry_commands import geometry, q_curve
from femtotango.component.image_results import image_results
from femtotango.component.result_attributes import RESULTS
from femtotango.component.results_poller import Curves, Observation
from femtotango.component.scan_progress import Scan
from femtotango.component.state import View
from femtotango.errors import NoGeometry, NoImage
from pipeline.model.parameters import Settings
from pipeline.protocols import snapshot

ROWS = {row.name: row for row in RESULTS}
POSITION = {"photon_energy": 12.0, "distance": 0.2, "beam_x": 10.0, "beam_y": 8.0}


def camera(stream: str, frames: int, **more) -> snapshot.ScanCamera:
    return snapshot.ScanCamera(
        accumulated_number=frames,
        image_shape=np.array([20, 10 * frames]),
        pixel_size=np.array([1e-4, 1e-4]),
        detector=stream,
        image_sum=100.0 * frames,
        **more,
    )


PILATUS, ZYLA = camera("pilatus", 3, scan_processed=3), camera("andor3_zyla12", 5, scan_processed=4)


def view(settings: Settings | None = None, scan: Scan | None = None) -> View:
    published = snapshot.Published(
        revision=1,
        shown=PILATUS,
        cameras={"pilatus": PILATUS, "andor3_zyla12": ZYLA},
        scan=snapshot.Scan(mapping="m", cameras=("pilatus", "andor3_zyla12")),
    )
    return View(
        settings=settings or Settings(),
        scan=scan or Scan(mapping="m", number=1),
        results=Observation(snapshot=published, error=None),
    )


def test_cameras_are_those_that_were_prepared_and_those_that_came():
    assert ROWS["Cameras"].read(view()) == ["pilatus", "andor3_zyla12"]
    assert ROWS["CameraFrames"].read(view()) == [3, 4]
    prepared = Scan(mapping="next", cameras=("andor3_zyla10", "pilatus"))
    assert ROWS["Cameras"].read(view(scan=prepared)) == ["andor3_zyla10", "pilatus"]
    assert ROWS["CameraFrames"].read(view(scan=prepared)) == [0, 0]


def test_each_camera_has_rows_of_its_own():
    seen = view()
    plain = {row.name: row.read(seen) for row in image_results()}
    zyla = {row.name: row.read(seen) for row in image_results("andor3_zyla12")}
    none = {row.name: row.read(seen) for row in image_results("andor3_balor")}
    assert (plain["FrameCount"], zyla["FrameCount_andor3_zyla12"]) == (3, 5)
    assert zyla["ImageSum_andor3_zyla12"] == 500.0
    assert (zyla["ImageWidth_andor3_zyla12"], zyla["ImageHeight_andor3_zyla12"]) == (50, 20)
    assert none["FrameCount_andor3_balor"] == 0
    assert np.isnan(none["ImageSum_andor3_balor"])


def test_the_geometry_is_one_camera_s_and_never_drawn_on_another():
    # Nobody has named one: it is that of the first camera in the scan.
    seen = view(Settings(**POSITION))
    assert seen.geometry_camera == "pilatus"
    assert geometry(seen).shape == (20, 30)
    assert len(q_curve(seen, 0.03, "pilatus"))
    other = view(Settings(**POSITION, geometry_camera="andor3_zyla12"))
    assert geometry(other).shape == (20, 50)
    assert len(q_curve(other, 0.03, "andor3_zyla12"))
    with pytest.raises(NoGeometry, match="that of andor3_zyla12, not of pilatus"):
        q_curve(other, 0.03, other.shown_camera)
    away = view(Settings(**POSITION, geometry_camera="andor3_balor"))
    with pytest.raises(NoImage, match="no image of andor3_balor yet"):
        geometry(away)


def test_status_tells_of_a_geometry_that_is_not_the_shown_camera_s():
    said = "Geometry, rings and azimuthal curve are those of andor3_zyla12; pilatus is shown."
    assert said in health.notes(view(Settings(**POSITION, geometry_camera="andor3_zyla12")))
    assert not health.notes(view(Settings(**POSITION)))
    assert not health.notes(view(Settings(geometry_camera="andor3_zyla12")))


def test_raw_folders_of_all_cameras_are_allowed():
    seen = view(Settings(output_folder="/out"))
    cameras = {
        "pilatus": camera("pilatus", 1, scan_filename="/a/raw/p.h5"),
        "andor3_zyla12": camera("andor3_zyla12", 1, scan_filename="/b/raw/z.h5"),
    }
    published = replace(seen.snapshot, cameras=cameras)
    seen = replace(seen, results=replace(seen.results, snapshot=published))
    assert seen.file_folders == ("/out", "/a/raw", "/b/raw")


def test_status_names_the_columns_when_the_named_axis_is_none_of_them():
    seen = view(Settings(x_source="I1"))
    scan = replace(seen.snapshot.scan, column_names=("m", "I0"))
    published = replace(seen.snapshot, scan=scan, x_label="m")
    seen = replace(seen, results=replace(seen.results, snapshot=published))
    (note,) = [line for line in health.notes(seen) if "XSource" in line]
    assert "'I1' is no axis of this scan, the curves are over m; its columns are m, I0." in note
    found = replace(seen, settings=Settings(x_source="m"))
    assert not [line for line in health.notes(found) if "XSource" in line]


def test_a_map_is_there_for_two_movables_only():
    names = {"a": {"x": 0, "y": 0, "width": 1, "height": 1}}
    seen = view(Settings(rois=json.dumps(names)))
    means = np.array([[1.0, 2.0]])
    curves = Curves(("a",), np.arange(2.0), means, means, mapping="m")
    without = replace(seen, results=replace(seen.results, curves=curves))
    assert ROWS["MapValues"].read(without).size == 0
    curves = replace(curves, map_x=np.array([0.0, 1.0]), map_y=np.array([5.0, 5.0]))
    mapped = replace(seen, results=replace(seen.results, curves=curves))
    assert ROWS["MapY"].read(mapped).tolist() == [5.0, 5.0]
    np.testing.assert_array_equal(ROWS["MapValues"].read(mapped), means)
