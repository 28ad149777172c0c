"""`femtotango demo`: simulated detectors in front of everything, a Tango client behind it."""

from pathlib import Path
from threading import Event

from rich.console import Console
from rich.progress import Progress

from femtotango.commands import demo_pilatus
from femtotango.commands.checks import Check, check_table, demand
from femtotango.commands.pictures import save_curves, save_image
from femtotango.commands.report import device_table
from femtotango.commands.scan_player import ScanPlayer
from femtotango.commands.up import stop_on_signals
from femtotango.stack.running import running

_PAUSE = 3.0


def demo(serve: bool, output: Path, console: Console) -> None:
    """Run the demo.

    Args:
        serve: keep everything running afterwards, with a new scan every few seconds.
        output: folder for the pictures.
        console: where it is told.

    Raises:
        StackError: the stack did not start, or a scan did not finish.
        WrongResult: what Tango shows is not what was sent.
    """
    output.mkdir(parents=True, exist_ok=True)
    stop = stop_on_signals()
    status = console.status("Starting Redis, dranspose, a Tango database and the device …")
    status.start()
    with running(["up"]) as info:
        status.stop()
        console.print(f"Tango device: {info['device']}", highlight=False, soft_wrap=True)
        with ScanPlayer(info) as player:
            checks = _pilatus(player, output, console)
            demand(checks)
            if serve:
                _serve(player, info["device"], stop, console)


def _pilatus(player: ScanPlayer, output: Path, console: Console) -> list[Check]:
    scan = demo_pilatus.SCAN
    with Progress(console=console) as progress:
        task = progress.add_task(scan.title, total=scan.steps * scan.burst)
        images = demo_pilatus.play(player, lambda n: progress.update(task, completed=n))
    result = demo_pilatus.read(player)
    checks = demo_pilatus.check(result, images)
    console.print(device_table(player.device), check_table("Pilatus scan of LaB6", checks))
    picture, curves = output / "accumulated_image.png", output / "roi_mean_over_motor.png"
    save_image(picture, result.image, f"AccumulatedImage: {result.frames} frames of LaB6")
    save_curves(
        curves,
        result.x,
        list(zip(result.names, result.means, result.errors, strict=True)),
        (result.x_label, "RoiMeanCurves"),
        scan.title,
    )
    console.print(f"Pictures: {picture}, {curves}", soft_wrap=True)
    return checks


def _serve(player: ScanPlayer, device: str, stop: Event, console: Console) -> None:
    console.print(
        f"A new scan every {_PAUSE:.0f} s until Ctrl-C. Look at it with\n"
        f"  femtotango viewer {device}",
        highlight=False,
        soft_wrap=True,
    )
    while not stop.wait(_PAUSE):
        demo_pilatus.play(player, lambda _: None)
