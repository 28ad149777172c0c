"""The commands on raw files and their options; the work is done in the module of the same name."""

from pathlib import Path

import click
from rich.console import Console


@click.command()
@click.argument("raw", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--camera", default="", metavar="STREAM", help="Which camera took the frames.")
@click.option("--dataset", default="", metavar="PATH", help="Where the frames are in the file.")
@click.option(
    "--settings", default="", metavar="JSON|FILE", help="Settings; a photon file has them too."
)
@click.option("--poni", type=click.Path(path_type=Path), help="Geometry, for the azimuthal curve.")
@click.option("--dark", type=click.Path(path_type=Path), help="Dark level, as calibrate writes it.")
@click.option("--mask", default="", metavar="FILE", help="Bad pixels; FILE::DATASET if not alone.")
@click.option("--scan", default="", metavar="FILE", help="Sardana's scan file: the motor axis.")
@click.option("--output", type=click.Path(path_type=Path), help="Folder for the results.")
@click.option("--jobs", default=0, help="Processes; default: one for each core.")
@click.option("--resume", is_flag=True, help="Go on with what was interrupted.")
@click.option("--plot", is_flag=True, help="Draw a page of pictures, NAME_report.png.")
@click.option("--eta", is_flag=True, help="Correct positions within the pixel; draws the page too.")
@click.option(
    "--method",
    type=click.Choice(("sums", "matched")),
    help="How photons are searched: 3x3 sums, or a filter for those close to the noise.",
)
@click.option(
    "--calibration",
    type=click.Path(path_type=Path),
    help="matched: offset and noise of each pixel; default: from the frames themselves.",
)
@click.option(
    "--false-per-frame", type=float, help="matched: false photons per frame to accept; default 1."
)
@click.option(
    "--cloud",
    type=float,
    metavar="SIGMA",
    help="matched: width of a photon's cloud [pixel]; default: from strong photons.",
)
def process(
    raw: tuple[Path, ...],
    camera: str,
    dataset: str,
    settings: str,
    poni: Path | None,
    dark: Path | None,
    mask: str,
    scan: str,
    output: Path | None,
    jobs: int,
    resume: bool,
    plot: bool,
    eta: bool,
    method: str | None,
    calibration: Path | None,
    false_per_frame: float | None,
    cloud: float | None,
) -> None:
    """Process raw files as live does: photons, sums, ROI and azimuthal curves.

    RAW are HDF5 files of the beamline, Eiger-like master files, or recordings (cbors, cbors.gz,
    pkls). The results are written beside them, in the folder process, and overwrite nothing.
    """
    from femtotango.commands.process import process as run
    from pipeline.postprocessing.command import Request
    from pipeline.postprocessing.matched_run import MatchedOptions

    request = Request(
        raw,
        camera,
        dataset,
        settings,
        poni,
        scan,
        output,
        jobs,
        resume=resume,
        plot=plot,
        eta=eta,
        photons=MatchedOptions(method, calibration, cloud, false_per_frame),
        dark=dark,
        mask=mask,
    )
    run(request, Console())


@click.command()
@click.argument("xye", type=click.Path(path_type=Path))
@click.argument("raw", required=False, type=click.Path(path_type=Path))
@click.option("--dataset", default="", metavar="PATH", help="Where the frames are in the file.")
@click.option("--jobs", default=0, help="Processes; default: one for each core.")
def verify(xye: Path, raw: Path | None, dataset: str, jobs: int) -> None:
    """Say whether a photon file is exactly what its raw file gives.

    XYE is the photon file; RAW its raw file, by default the one that it links to. The settings are
    those in XYE. Ends with 0, or with 1 and the frames that differ.
    """
    from femtotango.commands.verify import verify as run

    run(xye, raw, dataset, jobs, Console())


@click.command()
@click.argument("dark", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--output", required=True, type=click.Path(path_type=Path), help="File to write.")
@click.option("--camera", default="", metavar="STREAM", help="Which camera took the frames.")
@click.option("--dataset", default="", metavar="PATH", help="Where the frames are in the file.")
def calibrate(dark: tuple[Path, ...], output: Path, camera: str, dataset: str) -> None:
    """Find each pixel's offset and noise, for photons close to the noise.

    DARK are raw files with dark frames, 200 or more of one camera; a few photons do no harm.
    """
    from femtotango.commands.calibrate import calibrate as run

    run(dark, output, camera, dataset, Console())
