"""Readers of the large image that are slow, that stop, and that come all at once."""

import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import tango
from support.published import device_of
from support.waiting import PATIENCE, STEADY, wait_for

from pipeline.protocols import snapshot
from pipeline.protocols.packed_datasets import RoiCurves
from pipeline.protocols.tree import as_tree, pack_group

SIDE = 3000
"""36 MB are more than any socket holds."""
READERS = 4
_READS = """
import sys, tango
proxy = tango.DeviceProxy(sys.argv[1])
proxy.set_timeout_millis(60_000)
proxy.ping()
print("connected", flush=True)
while True:
    {}
"""
READS = {
    "AccumulatedImage": _READS.format("proxy.read_attribute('AccumulatedImage')"),
    "GetRegion": _READS.format(f"proxy.GetRegion([0, 0, {SIDE}, {SIDE}, 1])"),
}


class Tree(dict):
    """What a reducer publishes: each image has one value in all its pixels, its revision."""

    def show(self, revision):
        image: Any = np.full((SIDE, SIDE), revision, np.float32)
        shown = snapshot.CameraImage(
            image=image, image_shape=np.array(image.shape), accumulated_number=revision
        )
        values = snapshot.Published(revision=revision, shown=shown)
        rows = np.empty((0, 0))
        curves = pack_group(RoiCurves(names=(), x=np.empty(0), means=rows, errors=rows))
        self.update(as_tree(replace(values, snapshot=pack_group(values), curves=curves)))


@pytest.fixture
def tree():
    tree = Tree()
    tree.show(1)
    return tree


@pytest.fixture
def address(tree, tmp_path):
    with device_of(tree, tmp_path) as address:
        device = client(address)
        wait_for(lambda: device.FrameCount == 1, device.status)
        yield address


def client(address) -> Any:
    device = tango.DeviceProxy(address)
    device.set_timeout_millis(60_000)
    return device


def unsent(port: int) -> int:
    """Return the bytes that the server on a port could not send yet."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    rows = [line.split() for line in lines]
    return sum(int(row[4].split(":")[0], 16) for row in rows if row[1].endswith(f":{port:04X}"))


@pytest.fixture(params=READS)
def stopped_reader(request, address, tmp_path):
    """Stop a client in the middle of a transfer."""
    port = int(address.split(":")[2].split("/")[0])
    log = tmp_path / "reader.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", READS[request.param], address], stdout=output, stderr=output
        )
    reader = psutil.Process(process.pid)

    def caught():
        reader.send_signal(signal.SIGCONT)
        threading.Event().wait(0.05)
        reader.send_signal(signal.SIGSTOP)
        threading.Event().wait(STEADY / 4)
        assert process.poll() is None, log.read_text()
        return unsent(port) > 0

    wait_for(lambda: b"connected" in log.read_bytes(), log.read_text)
    try:
        wait_for(caught, "the reader to be stopped in the middle of an image")
        yield lambda: unsent(port) > 0
    finally:
        process.kill()
        process.wait()


def test_a_reader_that_stops_holds_up_nobody(address, stopped_reader):
    images = []
    other = threading.Thread(
        target=lambda: images.append(client(address).read_attribute("AccumulatedImage").value)
    )
    device = client(address)
    device.set_timeout_millis(3000)  # Tango's own
    other.start()
    while other.is_alive():
        device.read_attributes(["State", "FrameCount", "Background"])
    other.join()
    device.Background = 65.0
    assert stopped_reader(), "the reader was to be held up all the time"
    assert len(images) == 1, "the second reader was refused"
    assert images[0].shape == (SIDE, SIDE)
    assert (images[0] == 1).all()


def test_readers_at_once_each_get_a_whole_image(address, tree):
    seen, counts, wrong = set(), [], []
    deadline = time.monotonic() + PATIENCE
    other = client(address)

    def read():
        device = client(address)
        images = 0
        # Within one look of the device at the reducer, all may be the same image.
        while images < 4 or (len(seen) < 2 and time.monotonic() < deadline):
            count, reading = device.read_attributes(["FrameCount", "AccumulatedImage"])
            counts.append(count.value)
            image = reading.value
            if image is None:  # the reducer's answer took too long
                continue
            images += 1
            seen.add(float(image[0, 0]))
            if image.shape != (SIDE, SIDE) or not (image == image[0, 0]).all():
                wrong.append(np.unique(image))

    readers = [threading.Thread(target=read) for _ in range(READERS)]
    for reader in readers:
        reader.start()
    revision = 1
    while any(reader.is_alive() for reader in readers):
        revision += 1
        tree.show(revision)
        for _ in range(20):
            counts.append(other.FrameCount)
            threading.Event().wait(0.005)
    for reader in readers:
        reader.join()
    assert not wrong
    assert len(seen) > 1, "the image was to change meanwhile"
    assert seen <= set(map(float, range(1, revision + 1)))
    assert set(counts) <= set(range(1, revision + 1))
