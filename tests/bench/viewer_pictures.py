"""Draw the viewer in all its looks, and the pictures of it in README.md and docs/viewer.md.

PYTHONPATH=.:tests python -m bench.viewer_pictures [FOLDER [SCENE …]]
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image
from support.display import start_virtual_screen

from femtotango.simulation.beamline import ScanPlayer
from femtotango.simulation.sardana_records import post_record
from femtotango.stack.running import running
from pipeline.protocols.sardana import data_description, record_data, record_end
from pipeline.protocols.stins import stins_end, stins_header, stins_image
from pipeline.simulation.scan import BurstScan, detector_frames

DOCS = Path(__file__).parents[2] / "docs" / "images"
PILATUS, ZYLA, BALOR = "pilatus", "andor3_zyla12", "andor3_balor"
SIZES = {1: ((1024, 700), (1280, 800), (1920, 1080)), 2: ((1920, 1080),)}
"""By scale: sizes of the window, in pixels of a screen that is not scaled."""
_IN_DOCS = {
    "lab6-1280x800-light": "viewer",
    "lab6-1280x800-dark": "viewer-dark",
    "cameras-1280x800-light": "viewer-cameras",
    "map-1280x800-light": "viewer-map",
    "photons-1280x800-light": "viewer-photons",
}
_LEVELS = 63
_FEWER = [round(round(v * _LEVELS / 255) * 255 / _LEVELS) for v in range(256)]
"""So many steps of each colour are told apart by nobody, and make the files smaller."""
_TABS = {"lab6": 2, "photons": 1}
"""Number of the tab that a scene shows; otherwise the first."""
_SECONDS = 4.0
"""For which a window must not have changed before it is drawn."""
_PATIENCE_MS = 120_000
_NOWHERE = "tango://127.0.0.1:1/femtomax/analysis/1#dbase=no"
_GEOMETRY = {"PhotonEnergy": 13.5, "Distance": 0.131, "BeamX": 210.5, "BeamY": 373.5}


def _empty(player: ScanPlayer) -> None:
    """Leave the device as it starts."""


def _lab6(player: ScanPlayer) -> None:
    """Play 30 frames of LaB6."""
    ring = {"x": 360, "y": 330, "width": 40, "height": 70}
    player.write(Accumulate=True, **_GEOMETRY, Rois=json.dumps({"ring": ring}))
    scan = BurstScan(steps=5, burst=6)
    player.prepare(PILATUS, scan)
    player.play(PILATUS, detector_frames(PILATUS, 1, scan.frame_positions), scan)
    player.wait_finished()
    player.device.UseCalibrant("LaB6")


def _cameras(player: ScanPlayer) -> None:
    """Play a scan that two cameras see."""
    rois = {
        "ring": {"x": 300, "y": 400, "width": 300, "height": 200, "camera": PILATUS},
        "spot": {"x": 1100, "y": 800, "width": 200, "height": 200, "camera": ZYLA},
    }
    player.write(Rois=json.dumps(rois), RoiStatistic=0)
    scan = BurstScan(steps=11, burst=2)
    player.prepare((PILATUS, ZYLA), scan)
    cameras = (PILATUS, ZYLA)
    player.play_together({c: detector_frames(c, 1, scan.frame_positions) for c in cameras}, scan)
    player.wait_finished()


def _map(player: ScanPlayer) -> None:
    """Play a mesh of two motors in snake order."""
    columns, rows = 15, 9
    player.write(Rois=json.dumps({"spot": {"x": 200, "y": 300, "width": 100, "height": 100}}))
    scan = BurstScan(steps=columns * rows, burst=1)
    player.prepare(PILATUS, scan)
    title = f"mesh mx 0 4 {columns - 1} my 0 2 {rows - 1} 0.1"
    description = data_description(title, 3, "/data", "mx", (0, 4), columns * rows - 1)
    description["ref_moveables"] = ["mx", "my"]
    source, rng = player.source(PILATUS), np.random.default_rng(1)
    x, y = np.meshgrid(np.linspace(0, 4, columns), np.linspace(0, 2, rows))
    x[1::2] = x[1::2, ::-1]
    shape = 400, 500
    spread = ((np.indices(shape).T - (350, 250)) ** 2).sum(-1).T
    with httpx.Client(trust_env=False) as client:
        post_record(client, player.info["sardana"], description)
        source.send([stins_header(0, "", None)])
        for number, (mx, my) in enumerate(zip(x.ravel(), y.ravel(), strict=True)):
            strength = np.exp(-((mx - 1.6) ** 2) / 0.8 - ((my - 0.9) ** 2) / 0.3)
            image = rng.poisson(0.1 + 20 * strength * np.exp(-spread / 3000)).astype(np.float32)
            source.send([stins_image(number + 1, number, image)])
            position = {"mx": float(mx), "my": float(my)}
            post_record(client, player.info["sardana"], record_data(number, position, 1.0 * number))
        source.send([stins_end(columns * rows + 1)])
        post_record(client, player.info["sardana"], record_end())
    player.wait_finished()


def _photons(player: ScanPlayer) -> None:
    """Play a Balor whose photons are found."""
    roi = {"x": 1000, "y": 1000, "width": 2000, "height": 2000}
    player.write(Rois="{}", QValues=np.array([]), PhotonRoi=json.dumps(roi))
    scan = BurstScan(steps=2, burst=8)
    player.prepare(BALOR, scan)
    frames = detector_frames(BALOR, 1, scan.frame_positions)
    with tempfile.TemporaryDirectory() as folder:
        player.play(BALOR, frames, scan, filename=f"{folder}/raw/scan-4.h5")
        player.wait_finished()


SCENES: dict[str, Callable[[ScanPlayer], None]] = {
    "empty": _empty,
    "lab6": _lab6,
    "cameras": _cameras,
    "map": _map,
    "photons": _photons,
}
"""In this order: each leaves its settings to the next."""


def main(folder: Path, names: list[str]) -> None:
    """Play the scenes, draw the viewer in front of each, and renew the pictures of the manual.

    Args:
        folder: where all pictures go.
        names: of scenes; empty: all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    start_virtual_screen()
    with running(["up"]) as info, ScanPlayer(info) as player:
        player.device.set_timeout_millis(_PATIENCE_MS)
        for name, play in SCENES.items():
            if not names or name in names:
                play(player)
                _look(info["device"], name, folder)
    if not names or "dead" in names:
        _look(_NOWHERE, "dead", folder)
    for name, picture in _IN_DOCS.items():
        if (folder / f"{name}.png").exists():
            drawn = Image.open(folder / f"{name}.png").convert("RGB")
            drawn.point(_FEWER * 3).save(DOCS / f"{picture}.png", optimize=True)


def _look(device: str, scene: str, folder: Path) -> None:
    """Draw a scene at all sizes; Qt takes another scale in another process only."""
    for scale in SIZES:
        arguments = [sys.executable, "-m", "bench.viewer_pictures", "look"]
        subprocess.run(
            [*arguments, device, scene, str(scale), str(folder)],
            env={**os.environ, "QT_SCALE_FACTOR": str(scale)},
            check=True,
        )


def look(device: str, scene: str, scale: int, folder: Path) -> None:
    """Draw one scene at all sizes of a scale, light and dark."""
    from support.viewer import Viewer

    from femtotango.gui.desktop import DesktopTheme

    viewer: Any = Viewer(device)
    window, theme = viewer.window, DesktopTheme(viewer.application, False)
    window.tabs.setCurrentIndex(_TABS.get(scene, 0))
    if scene == "cameras":
        window.link.choose_camera(ZYLA)
    if scene == "empty" or scene == "dead":
        viewer.wait("the answer", lambda: window.link.connected or window.link.reason)
    else:
        viewer.wait("an image", lambda: viewer.plot.image_shape)
    for dark in (False, True):
        theme.set_dark(dark)
        for size in SIZES[scale]:
            window.resize(*size)
            _rest(viewer)
            name = "x".join(str(scale * side) for side in size)
            picture = folder / f"{scene}-{name}-{'dark' if dark else 'light'}.png"
            window.grab().save(str(picture))
            print(picture)
    viewer.__exit__(None, None, None)


def _rest(viewer: Any) -> None:
    """Wait until rings, pixels and curves of the new size have come."""
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end:
        viewer.events()
        time.sleep(0.01)


if __name__ == "__main__":
    if sys.argv[1:2] == ["look"]:
        look(sys.argv[2], sys.argv[3], int(sys.argv[4]), Path(sys.argv[5]))
    else:
        main(Path(sys.argv[1] if len(sys.argv) > 1 else "out/viewer"), sys.argv[2:])
