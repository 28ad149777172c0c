"""`femtotango demo`: simulated scans through all parts, read back by a Tango client."""

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.progress import Progress

from femtotango.commands.demo import photons, pilatus
from femtotango.commands.demo.checks import Check, check_table, require_passed
from femtotango.commands.demo.pictures import save_curves, save_image
from femtotango.commands.demo.report import device_table
from femtotango.simulation.balor_device import SERVER, balor_address, balor_arguments
from femtotango.simulation.beamline import ScanPlayer
from femtotango.stack.command import Command
from femtotango.stack.ports import Ports
from femtotango.stack.processes import Process, end
from femtotango.stack.running import running

_PAUSE = 3.0
_PATIENCE = 2.0


def demo(serve: bool, output: Path, console: Console) -> None:
    """Run the demo.

    Args:
        serve: keep everything running afterwards, and start a new scan every few seconds.
        output: folder for the pictures.
        console: where results are printed.

    Raises:
        StackError: the stack did not start, or a scan did not finish.
        WrongResult: what Tango shows is not what was sent.
    """
    output.mkdir(parents=True, exist_ok=True)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    with ExitStack() as parts:
        with console.status("Starting Redis, dranspose, a Tango database and the device …"):
            info = parts.enter_context(_stack_with_balor())
        console.print(f"Tango device: {info['device']}", highlight=False, soft_wrap=True)
        player = parts.enter_context(ScanPlayer(info))
        require_passed([*_pilatus(player, output, console), *_photons(player, output, console)])
        if serve:
            with suppress(KeyboardInterrupt):
                _serve(player, info["device"], console)


@contextmanager
def _stack_with_balor() -> Iterator[dict[str, Any]]:
    """Run a stack, and a simulated Balor device whose SaveRaw the analysis controls."""
    with TemporaryDirectory(prefix="femtotango-demo-") as name, Ports() as ports:
        folder, port = Path(name), ports.new()
        config = folder / "stack.toml"
        config.write_text(f'[properties]\nBalorDevice = "{balor_address(port)}"\n')
        command = Command(
            "balor", f"{SERVER}=femtotango.simulation.balor_device:main", balor_arguments(port)
        )
        balor = Process(command, folder)
        try:
            with running(["up", "--config", str(config)]) as info:
                yield info
        finally:
            end([balor], _PATIENCE)


def _pilatus(player: ScanPlayer, output: Path, console: Console) -> list[Check]:
    scan = pilatus.SCAN
    with Progress(console=console) as progress:
        task = progress.add_task(scan.title, total=scan.steps * scan.burst)
        images = pilatus.play(player, lambda n: progress.update(task, completed=n))
    result = pilatus.read(player)
    checks = pilatus.check(result, images)
    console.print(device_table(player.device), check_table("Pilatus scan of LaB6", checks))
    title = f"AccumulatedImage: {result.frames} frames; dotted: QCurve of LaB6's lines"
    save_image(output / "accumulated_image.png", result.image, title, result.rings)
    save_curves(
        output / "azimuthal.png",
        result.q,
        [("AzimuthalIntensity", result.intensity, None)],
        ("q [1/Å]", "mean intensity [TOT]"),
        "Azimuthal integration of the accumulated image; dotted: QValues",
        dotted=result.lines,
    )
    save_curves(
        output / "roi_mean_over_motor.png",
        result.x,
        list(zip(result.names, result.means, result.errors, strict=True)),
        (result.x_label, "RoiMeanCurves"),
        scan.title,
    )
    names = "accumulated_image.png, roi_mean_over_motor.png, azimuthal.png"
    console.print(f"Pictures in {output}: {names}", soft_wrap=True, highlight=False)
    return checks


def _photons(player: ScanPlayer, output: Path, console: Console) -> list[Check]:
    scan = photons.SCAN
    raw_file = output.resolve() / "raw" / "balor.h5"
    with Progress(console=console) as progress:
        task = progress.add_task("Balor frames", total=scan.steps * scan.burst)
        truths, raw_was_off = photons.play(
            player, raw_file, lambda n: progress.update(task, completed=n)
        )
    result = photons.read(player, raw_was_off)
    checks = photons.check(result, truths)
    console.print(device_table(player.device), check_table("Single photons on the Balor", checks))
    picture = output / "energy_histogram.png"
    save_curves(
        picture,
        result.energy,
        [("photons", result.histogram, None)],
        ("energy [ADU]", "photons per bin"),
        f"EnergyHistogram: {result.photons} photons in {result.frames} frames",
        [(value, name) for name, value in result.thresholds.items()],
    )
    console.print(f"Picture:  {picture}\nPhotons: {result.path}", soft_wrap=True, highlight=False)
    return checks


def _serve(player: ScanPlayer, device: str, console: Console) -> None:
    console.print(
        f"A new scan every {_PAUSE:.0f} s until Ctrl-C. Watch it with\n"
        f"  femtotango viewer {device}",
        highlight=False,
        soft_wrap=True,
    )
    while True:
        time.sleep(_PAUSE)
        pilatus.play(player, lambda _: None)
