"""What comes back after a restart."""

import json

import pytest
from support.device_server import device_server
from support.waiting import wait_for


@pytest.fixture
def restart(tmp_path, nowhere):
    memory = tmp_path / "memory.txt"

    def run(**settings):
        return device_server(memory, nowhere, settings)

    run.memory = memory
    return run


def wait_until_kept(restart, *texts):
    wait_for(
        lambda: all(text in restart.memory.read_text() for text in texts),
        restart.memory.read_text,
    )


def test_what_clients_wrote(restart):
    with restart() as device:
        device.Background = 77.5
        device.HistogramBins = 321
        device.WritePhotons = False
        device.PhotonRoi = '{"x": 1, "y": 2, "width": 3, "height": 4}'
        device.MaxFilter = True
        device.QValues = [1.5, 2.25]
    with restart() as device:
        assert device.Background == 77.5
        assert device.read_attribute("Background").w_value == 77.5
        assert device.HistogramBins == 321
        assert not device.WritePhotons
        assert json.loads(device.PhotonRoi)["height"] == 4
        assert device.MaxFilter
        assert device.QValues.tolist() == [1.5, 2.25]
        assert device.read_attribute("QValues").w_value.tolist() == [1.5, 2.25]


def test_what_commands_changed(restart):
    with restart() as device:
        for name in ("a", "b"):
            device.AddRoi(json.dumps({"name": name, "x": 1, "y": 2, "width": 3, "height": 4}))
        device.RemoveRoi("a")
        device.StartAccumulation()
        wait_until_kept(restart, "Rois->__value", "Accumulate->__value", "KeptRoiSlots")
        wait_for(lambda: list(json.loads(device.read_attribute("Rois").w_value)) == ["b"])
    with restart() as device:
        assert list(json.loads(device.Rois)) == ["b"]
        assert device.Accumulate


def test_a_remembered_value_that_cannot_be_read_is_left_out_and_named(restart):
    with restart(Rois='{"a": nonsense', Background="55.0") as device:
        assert device.Rois == "{}"
        assert device.Background == 55.0
        assert "remembered value was not used" in device.status()
        assert "nonsense" in device.status()
        device.Rois = '{"a": {"x": 1, "y": 2, "width": 3, "height": 4}}'
        assert "remembered" not in device.status()


def test_init_keeps_all_settings(restart):
    with restart() as device:
        device.Background = 42.0
        device.MaxFilter = True
        device.AddRoi('{"name": "a", "x": 1, "y": 2, "width": 3, "height": 4}')
        device.QValues = [2.0]
        device.Init()
        assert device.Background == 42.0
        assert device.MaxFilter
        assert "a" in device.Rois
        assert device.QValues.tolist() == [2.0]
        assert device.read_attribute("Background").w_value == 42.0
        device.Background = 43.0
        assert device.Background == 43.0
