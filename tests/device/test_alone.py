"""The device while no pipeline answers: at once, honest, and nothing is lost."""

import json
import time
from contextlib import suppress
from pathlib import Path

import pytest
import tango
from support.client_side import refusal, silent_server
from support.device_server import device_server
from support.waiting import STEADY, wait_for
from tango import AttrQuality, DevState

from femtotango.component.result_attributes import RESULTS
from femtotango.component.result_row import Source
from femtotango.device.attributes import all_attributes
from pipeline.model.parameters import ATTRIBUTES

ROUNDS = 40
PONI = "PixelSize1: 1e-4\nPixelSize2: 1e-4\nDistance: 0.25\nPoni1: 0.01\nPoni2: 0.02\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory, nowhere):
    memory = tmp_path_factory.mktemp("alone") / "memory.txt"
    with device_server(memory, nowhere) as device:
        yield device


@pytest.fixture
def device(server):
    for name, parameter in ATTRIBUTES.items():
        server.write_attribute(name, parameter.default)
    server.QValues = []
    server.MaxFilter = False
    return server


def test_unknown_names_both_parts(device):
    assert device.state() == DevState.UNKNOWN
    wait_for(lambda: "does not answer" in device.status())
    assert "controller at http://127.0.0.1" in device.status()
    assert "reducer at http://127.0.0.1" in device.status()


def test_forms_show_what_is_in_force_right_after_the_start(server):
    for name, parameter in ATTRIBUTES.items():
        reading = server.read_attribute(name)
        assert reading.value == reading.w_value == parameter.default, "forms would write zeros"


def test_results_are_invalid_and_settings_are_there(device):
    for row in RESULTS:
        reading = device.read_attribute(row.name)
        if row.source is Source.DEVICE:
            assert reading.quality == AttrQuality.ATTR_VALID, row.name
            continue
        assert reading.quality == AttrQuality.ATTR_INVALID, row.name
        assert reading.value is None, row.name
    assert device.read_attribute("AccumulatedImage").quality == AttrQuality.ATTR_INVALID
    for name, parameter in ATTRIBUTES.items():
        reading = device.read_attribute(name)
        assert reading.quality == AttrQuality.ATTR_VALID
        assert reading.value == parameter.default


def test_attributes_say_what_the_table_says(device):
    for name, parameter in ATTRIBUTES.items():
        config = device.get_attribute_config(name)
        assert config.unit == parameter.unit
        assert config.description.isascii()
        assert config.description[:20] == parameter.help[:20]
        assert config.memorized == tango.AttrMemorizedType.MEMORIZED
        if parameter.limits is not None:
            assert float(config.min_value) == parameter.limits[0]
            assert float(config.max_value) == parameter.limits[1]
    assert set(all_attributes()) <= set(device.get_attribute_list())
    assert device.get_attribute_config("PhotonThreshold").label == "Photon Threshold"
    assert device.get_attribute_config("Roi1Mean").label == "Roi 1 Mean"


def test_writes_are_kept(device):
    device.Background = 90.5
    device.Rois = '{"b": {"x": 1.4, "y": 2, "width": 3, "height": 4}}'
    device.QValues = [1.0, 2.5]
    device.MaxFilter = True
    assert device.Background == 90.5
    assert json.loads(device.Rois) == {"b": {"x": 1, "y": 2, "width": 3, "height": 4}}
    assert device.QValues.tolist() == [1.0, 2.5]
    assert device.MaxFilter


@pytest.mark.parametrize(
    ("name", "value", "reason", "said"),
    [
        ("Background", 70_000.0, "API_WAttrOutsideLimit", "maximum"),
        ("Background", -1.0, "API_WAttrOutsideLimit", "minimum"),
        ("PhotonEnergy", float("nan"), "API_WAttrOutsideLimit", "nan"),
        ("HistogramMin", float("inf"), "API_WAttrOutsideLimit", "inf"),
        ("Rois", "{", "Femtomax_BadValue", "not JSON"),
        ("Rois", '{"a/b": {"x": 1, "y": 2, "width": 3, "height": 4}}', "Femtomax_BadValue", "a/b"),
        (
            "Rois",
            r'{"\u03b2": {"x": 1, "y": 2, "width": 3, "height": 4}}',
            "Femtomax_BadValue",
            "Latin",
        ),
        ("PhotonRoi", "[1]", "Femtomax_BadValue", "expected"),
        ("QValues", [1.0, 0.0], "Femtomax_BadValue", "0 given"),
        ("SaveRaw", False, "Femtomax_NoBalor", "BalorDevice"),
    ],
)
def test_a_refused_value_is_explained_and_the_old_one_stays(device, name, value, reason, said):
    before = device.read_attribute(name).value
    error = refusal(device.write_attribute, name, value)
    assert error.reason == reason
    assert said.lower() in error.desc.lower()
    after = device.read_attribute(name).value
    assert str(after) == str(before)


def test_roi_commands(device):
    device.AddRoi('{"name": "a", "x": 1, "y": 2, "width": 3, "height": 4}')
    device.AddRoi('{"name": "b", "x": 1, "y": 2, "width": 3, "height": 4}')
    device.AddRoi('{"name": "a", "x": 5, "y": 2, "width": 3, "height": 4}')
    assert list(json.loads(device.Rois)) == ["a", "b"]
    assert json.loads(device.Rois)["a"]["x"] == 5
    device.RemoveRoi("a")
    assert list(json.loads(device.Rois)) == ["b"]
    error = refusal(device.RemoveRoi, "a")
    assert error.reason == "Femtomax_BadRoi"
    assert "there are b" in error.desc
    device.ClearRois()
    assert device.Rois == "{}"
    assert refusal(device.AddRoi, '{"name": "a"}').reason == "Femtomax_BadRoi"


@pytest.mark.parametrize(
    ("command", "argument", "reason"),
    [
        ("PrepareScan", "{", "Femtomax_BadRequest"),
        ("PrepareScan", '{"streams": ["pilatus"], "steps": 1, "burst": 1}', "Femtomax_Unreachable"),
        (
            "PrepareScan",
            '{"streams": ["pilatus", "andor3_balor"], "steps": 1, "burst": 1}',
            "Femtomax_Unreachable",
        ),
        ("StartContinuous", ["pilatus", "andor3_balor"], "Femtomax_Unreachable"),
        ("StartContinuous", ["eiger"], "Femtomax_UnknownStream"),
        ("StartContinuous", ["pilatus"], "Femtomax_Unreachable"),
        ("QCurve", 3.0, "Femtomax_NoGeometry"),
        ("UseCalibrant", "LaB6", "Femtomax_NoGeometry"),
        ("SavePoni", "a.poni", "Femtomax_NoGeometry"),
        ("LoadPoni", "a.poni", "Femtomax_BadPath"),
        ("SaveImage", "a.h5", "Femtomax_NoImage"),
        ("GetRegion", [0, 0, 10, 10, 1], "Femtomax_NoImage"),
    ],
)
def test_a_refused_command_gives_its_reason_in_plain_text(device, command, argument, reason):
    error = refusal(device.command_inout, command, argument)
    assert error.reason == reason
    assert error.desc.isascii()
    assert "Traceback" not in error.desc


def test_stops_and_accumulation_are_accepted(device):
    device.StopScan()
    device.StopContinuous()
    device.StartAccumulation()
    assert device.Accumulate
    device.ResetAccumulation()
    device.StopAccumulation()
    assert not device.Accumulate


def test_no_read_or_write_waits_for_a_pipeline_that_hangs(serve):
    with silent_server() as controller, silent_server() as reducer:
        device = serve({"ControllerUrl": controller.url, "ReducerUrl": reducer.url})

        def connections():
            return len(controller.taken) + len(reducer.taken)

        wait_for(lambda: controller.taken and reducer.taken, "the device asks both")
        undisturbed = 0
        for _ in range(ROUNDS):
            before = connections()
            device.write_attribute("Background", 80.0)
            device.read_attributes(["State", "Background", "FrameCount", "PreviewImage"])
            device.AddRoi('{"name": "a", "x": 1, "y": 2, "width": 3, "height": 4}')
            undisturbed += connections() == before
        # A request that is given up is asked again on a new connection: whoever waited for one to
        # end would see it.
        assert undisturbed > ROUNDS / 2
        assert device.state() == DevState.UNKNOWN


def test_settings_and_state_push_events(device):
    seen = {}
    for name in ("Rois", "QValues", "MaxFilter", "State", "FrameCount", "RoiSlots", "Background"):
        device.subscribe_event(
            name,
            tango.EventType.CHANGE_EVENT,
            lambda event, name=name: seen.setdefault(name, []).append(event.attr_value),
        )
    wait_for(lambda: {"Background", "State", "FrameCount"} <= set(seen))

    def hears_of_a_change():
        # What changes right after a subscription may not be heard yet.
        device.Background = wanted = device.Background + 1.0
        with suppress(AssertionError):
            return wait_for(lambda: seen["Background"][-1].value == wanted, limit=STEADY)
        return False

    wait_for(hears_of_a_change, "an event of the last subscription")
    device.Background = 55.0
    device.AddRoi('{"name": "a", "x": 1, "y": 2, "width": 3, "height": 4}')
    device.QValues = [3.0]
    device.MaxFilter = True
    wait_for(lambda: seen["Background"][-1].value == 55.0)
    wait_for(lambda: "a" in seen["Rois"][-1].value)
    wait_for(lambda: list(seen["QValues"][-1].value) == [3.0])
    wait_for(lambda: seen["MaxFilter"][-1].value)
    assert seen["State"][-1].value == DevState.UNKNOWN
    assert seen["FrameCount"][-1].quality == AttrQuality.ATTR_INVALID


def test_bad_properties_are_a_fault_that_says_which(serve, nowhere):
    device = serve({**nowhere, "UpdateRate": 0.0, "SardanaUrl": "somewhere"})
    assert device.state() == DevState.FAULT
    assert "UpdateRate = 0" in device.status()
    assert "SardanaUrl = 'somewhere'" in device.status()


def test_the_written_value_is_never_an_old_one(device):
    rois = [f'{{"r{i}": {{"x": 1, "y": 2, "width": 3, "height": 4}}}}' for i in range(40)]
    for i, text in enumerate(rois):
        device.AddRoi('{"name": "a", "x": 1, "y": 2, "width": 3, "height": 4}')
        time.sleep(0.03 * i / len(rois))
        device.Rois = text
        time.sleep(0.03)
        reading = device.read_attribute("Rois")
        assert reading.value == reading.w_value == text


def test_a_refused_value_leaves_no_trace_as_written(device):
    device.QValues = [1.5, 2.5]
    device.Rois = '{"a": {"x": 1.2, "y": 2, "width": 3, "height": 4}}'
    device.Background = 61.5
    for name, wrong in (
        ("QValues", [0.0078125, -1.0]),
        ("QValues", [1.0] * 101),
        ("Rois", "{"),
        ("Background", -1.0),
    ):
        before = device.read_attribute(name)
        refusal(device.write_attribute, name, wrong)
        after = device.read_attribute(name)
        assert str(after.value) == str(before.value) == str(after.w_value), name


def test_a_command_is_shown_as_written_at_once(device):
    device.AddRoi('{"name": "a", "x": 1, "y": 2, "width": 3, "height": 4}')
    reading = device.read_attribute("Rois")
    assert reading.w_value == reading.value
    device.StartAccumulation()
    assert device.read_attribute("Accumulate").w_value
    device.StopAccumulation()
    assert not device.read_attribute("Accumulate").w_value


def files(path: Path) -> str:
    return json.dumps({"andor3_zyla12": {"file": str(path)}})


@pytest.mark.parametrize("name", ["OutputFolder", "AllowedFolders"])
def test_loading_stays_in_the_allowed_folders(nowhere, tmp_path, name):
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    for folder in (inside, outside):
        folder.mkdir()
        (folder / "a.poni").write_text(PONI)
    (inside / "link.poni").symlink_to(outside / "a.poni")
    with device_server(tmp_path / "memory.txt", {**nowhere, name: str(inside)}) as device:
        for path in (outside / "a.poni", inside / "link.poni"):
            error = refusal(device.LoadPoni, str(path))
            assert error.reason == "Femtomax_BadPath"
            assert str(inside) in error.desc
            assert "AllowedFolders" in error.desc
        assert device.Distance == 0
        device.LoadPoni(str(inside / "a.poni"))
        assert device.Distance == 0.25
        for attribute in ("Dark", "Mask"):
            for path in (outside / "a.poni", inside / "link.poni", inside / "none.npy"):
                error = refusal(device.write_attribute, attribute, files(path))
                assert error.reason == "Femtomax_BadPath"
                reading = device.read_attribute(attribute)
                assert reading.value == reading.w_value == ""
            device.write_attribute(attribute, files(inside / "a.poni"))
            (inside / "a.poni").rename(inside / "b.poni")
            # What is used already, and has gone, does not keep another camera's file out.
            both = json.loads(files(inside / "a.poni")) | {"pilatus": str(inside / "b.poni")}
            device.write_attribute(attribute, json.dumps(both))
            (inside / "b.poni").rename(inside / "a.poni")
