"""Parts of the window work by themselves too, and the commands open the window."""

import subprocess
import sys
from pathlib import Path

import pytest
from support.command_line import run_here
from support.viewer_scans import show_pilatus

pytestmark = [pytest.mark.gui, pytest.mark.slow, pytest.mark.timeout(240)]

_LIMIT = 180.0
"""Seconds until a program that does not end has failed."""


def test_one_link_serves_all_parts_of_a_device(viewer, player) -> None:
    from femtotango.gui.panels.image import ImageWidget

    show_pilatus(player, viewer)
    alone = ImageWidget()
    try:
        alone.resize(500, 400)
        alone.show()
        alone.setModel(player.info["device"])
        assert alone.link is viewer.window.link
        viewer.wait("the image", lambda: alone.plot.image_shape == (831, 1475))
        player.write(Rois='{"a": {"x": 1, "y": 2, "width": 3, "height": 4}}')
        viewer.wait(
            "the ROI in both", lambda: alone.rois.shape("a") and viewer.window.image.rois.shape("a")
        )
    finally:
        alone.setModel(None)
        alone.close()
        alone.deleteLater()


def test_a_part_without_device_says_what_to_do(screen) -> None:
    from support.viewer import QtWidgets

    from femtotango.gui.panels.status import StatusLine

    application = QtWidgets.QApplication.instance() or QtWidgets.QApplication(["tests"])
    assert application is not None
    line = StatusLine()
    with pytest.raises(RuntimeError, match="setModel"):
        line.link.value("State")


@pytest.mark.parametrize("command", [["taurus", "femtomax"], ["femtotango", "viewer"]])
def test_the_commands_open_the_window(screen, player, command: list[str], tmp_path: Path) -> None:
    picture = tmp_path / "viewer.png"
    program = Path(sys.executable).with_name(command[0])
    options = ["--screenshot", str(picture), "--size", "1280x800"]
    done = subprocess.run(
        [program, *command[1:], player.info["device"], *options],
        capture_output=True,
        text=True,
        timeout=_LIMIT,
    )
    assert done.returncode == 0, done.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["no device"], "'no device' names no device"),
        (["a/b/c", "--size", "big"], "size 'big': expected WIDTHxHEIGHT"),
    ],
)
def test_wrong_arguments_are_told_in_a_sentence(screen, arguments: list[str], told: str) -> None:
    # `taurus femtomax` is the same command.
    done = run_here("viewer", *arguments)
    assert done.returncode
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_picture_that_cannot_be_written_is_an_error(screen) -> None:
    done = run_here("viewer", "a/b/c", "--screenshot", "/nowhere/x.png")
    assert done.returncode == 1
    assert "/nowhere/x.png cannot be written: there is no folder /nowhere" in done.stderr


def test_why_the_window_waits_is_told_in_the_terminal(screen) -> None:
    program = Path(sys.executable).with_name("femtotango")
    device = "tango://127.0.0.1:9/a/b/c#dbase=no"
    with subprocess.Popen(
        [program, "viewer", device, "--theme", "dark", "--size", "640x400"],
        stderr=subprocess.PIPE,
        text=True,
    ) as viewer:
        try:
            assert viewer.stderr is not None
            lines = iter(viewer.stderr.readline, "")
            told = next(line for line in lines if line.startswith("Waiting for"))
            assert "a/b/c" in told and "connect" in told.lower()
        finally:
            viewer.terminate()
