"""What tools of a Tango control system expect: archives, alarms, levels, logs, labels."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import tango
from support.device_server import NAME
from support.published import device_of
from support.waiting import wait_for
from tango import AttrQuality, DispLevel, EventType

from femtotango.component.result_attributes import RESULTS
from pipeline.model.parameters import ATTRIBUTES
from pipeline.protocols import snapshot
from pipeline.protocols.packed_datasets import RoiCurves
from pipeline.protocols.tree import as_tree, pack_group

ROWS = np.empty((0, 0))


class Tree(dict):
    def show(self, revision, alarms=(), failed=0, **photons):
        values = snapshot.Published(
            revision=revision,
            shown=snapshot.CameraImage(accumulated_number=revision),
            health=snapshot.Health(failed_frames=failed, alarms=alarms),
            photons=snapshot.Photons(**photons),
        )
        curves = RoiCurves(names=(), x=np.empty(0), means=ROWS, errors=ROWS)
        values = replace(values, snapshot=pack_group(values), curves=pack_group(curves))
        self.update(as_tree(values))


@pytest.fixture
def tree():
    tree = Tree()
    tree.show(1)
    return tree


@pytest.fixture
def address(tree, tmp_path):
    with device_of(tree, tmp_path) as address:
        yield address


@pytest.fixture
def device(address):
    device: Any = tango.DeviceProxy(address)
    device.set_timeout_millis(20_000)
    wait_for(lambda: device.FrameCount == 1, device.status)
    return device


@pytest.fixture
def hears(device):
    """Subscribe, and give what is heard."""
    kept = []

    def subscribe(name, kind):
        events = []
        kept.append(device.subscribe_event(name, kind, events.append))
        return events

    yield subscribe
    for subscription in kept:
        device.unsubscribe_event(subscription)


def test_archive_events_come_without_polling(device, tree, hears):
    names = ["State", "Status", "Background", "QValues", "FrameCount", "RoiMeans"]
    heard = {name: hears(name, EventType.ARCHIVE_EVENT) for name in names}
    assert not any(event.err for events in heard.values() for event in events)
    wait_for(lambda: all(heard.values()))

    def news():
        # What changes right after a subscription may not be heard yet.
        device.Background += 1
        tree.show(device.FrameCount + 1)
        newest = {name: heard[name][-1].attr_value for name in ("Background", "FrameCount")}
        return newest["Background"].value > 64 and newest["FrameCount"].value > 1

    wait_for(news, lambda: heard)


def test_a_value_that_causes_alarm_has_that_quality(device, tree):
    def qualities():
        names = ["PileupFraction", "SkippedFrames", "FailedFrames", "PhotonCount"]
        return [reading.quality for reading in device.read_attributes(names)]

    assert set(qualities()) == {AttrQuality.ATTR_VALID}
    alarm, valid = AttrQuality.ATTR_ALARM, AttrQuality.ATTR_VALID
    share = 2 * device.MaxPileup
    tree.show(2, ("piled up",), 3, pileup_fraction=share, skipped_frames=4, count=5)
    wait_for(lambda: qualities() == [alarm, alarm, alarm, valid], qualities)


def test_what_only_experts_need_says_so(device):
    levels = {name: device.get_attribute_config(name).disp_level for name in ATTRIBUTES}
    levels |= {row.name: device.get_attribute_config(row.name).disp_level for row in RESULTS}
    experts = {name for name, level in levels.items() if level == DispLevel.EXPERT}
    assert experts == {
        *("HotPixelRatio", "MaxHitDensity", "MaxPileup", "HistogramBins", "AzimuthalBins"),
        *("RoiSums", "RoiCounts", "RoiTotals", "RoiWeights"),
        *("ScanFrames", "CameraFrames", "FramesReceived"),
    }


def test_log_lines_go_to_tango_s_targets(device, address, tree, tmp_path):
    server = tango.DeviceProxy(address.replace(NAME, "dserver/FemtomaxAnalysis/test"))
    log = tmp_path / "tango.log"
    server.command_inout("AddLoggingTarget", [NAME, f"file::{log}"])
    server.command_inout("SetLoggingLevel", [[int(tango.LogLevel.LOG_WARN)], [NAME]])
    tree["revision"] = "no number"
    wait_for(lambda: log.exists() and "no number" in log.read_text())
    assert "Traceback" in log.read_text()
    tree.show(2)
    device.Init()
    wait_for(lambda: device.FrameCount == 2)
    tree["revision"] = "neither"
    wait_for(lambda: "neither" in log.read_text())


def test_a_slot_is_labelled_with_its_roi(device, hears, tmp_path):
    heard = hears("Roi1Mean", EventType.ATTR_CONF_EVENT)
    curve = hears("Roi1Curve", EventType.ATTR_CONF_EVENT)

    def labels(events):
        return [event.attr_conf.label for event in events if not event.err]

    def label(name):
        return device.get_attribute_config(name).label

    wait_for(lambda: labels(heard) == ["Roi 1 Mean"])
    device.AddRoi('{"name": "peak", "x": 1, "y": 2, "width": 3, "height": 4}')
    wait_for(lambda: label("Roi1Mean") == label("Roi1Curve") == "peak")
    wait_for(lambda: labels(heard)[-1] == labels(curve)[-1] == "peak")
    assert label("Roi2Mean") == "Roi 2 Mean"
    device.Init()
    assert label("Roi1Mean") == "peak"
    device.RemoveRoi("peak")
    wait_for(lambda: label("Roi1Mean") == "Roi 1 Mean")
    wait_for(lambda: labels(heard)[-1] == "Roi 1 Mean")
    assert "label" not in (tmp_path / "memory.txt").read_text()
