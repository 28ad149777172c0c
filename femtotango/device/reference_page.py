"""The device's reference page, made from the tables that the device itself is made from."""

from collections.abc import Iterable

from femtotango.component.result_attributes import RESULTS
from femtotango.component.result_row import Result
from pipeline.model.parameter import Parameter
from pipeline.model.parameters import PARAMETERS

_HEAD = """# The device FemtomaxAnalysis

This page is printed by `scripts/device-docs` from the tables in `pipeline/model/parameters.py` and
`femtotango/component/result_attributes.py`.

State: `ON` idle, `RUNNING` while a scan is processed, `ALARM` when photons pile up, frames fail
or are skipped or a file cannot be written, `FAULT` for a configuration that cannot work,
`UNKNOWN` while the pipeline cannot be reached. `Status` says which part and what to do. A refused
write or command raises `DevFailed` with a reason `Femtomax_…` and a sentence that says what is
accepted.

Images are `(y, x)`; pixel `i` covers `[i - 0.5, i + 0.5)`. Intensities of the cameras are above
background. Missing is NaN, never 0.

In continuous mode the pipeline is armed anew after each series, which takes about a second: frames
of a series that follows the one before sooner are lost, uncounted. `SaveRaw` is true meanwhile:
start the next series when `ScanNumber` has gone up, and its frames have at least their raw data.

A scan may have several cameras: `PrepareScan` and `StartContinuous` take the streams of all. The
plain attributes show the camera that `Camera` names, else the first in the scan of andor3_balor,
andor3_zyla10, pilatus, andor3_zyla12. Each camera that was seen has `PreviewImage_<stream>`,
`FrameCount_<stream>`, `ImageSum_<stream>`, `ImageMax_<stream>`, `AccumulatedImage_<stream>`,
`ImageUnit_<stream>`, `ImageWidth_<stream>` and `ImageHeight_<stream>`, from then on and over
restarts. `GetCameraRegion`, `CameraQCurve` and `SaveCameraImage` take JSON with `"camera"`. A ROI
that `AddRoi` gets without `"camera"` is of the shown camera.

The geometry is that of one camera, `GeometryCamera`: the shown one when Distance, Tilt, Rotation,
BeamX or BeamY was written or `LoadPoni` called last. Rings and azimuthal curve are of this camera
and never drawn on another. PhotonEnergy is that of the beam.

`AcknowledgeLoss` empties `UnsafeFrames` and ends its alarm; nothing else does, neither `Init` nor a
restart.
"""

_MORE = """
Besides them: `QValues` (rings to draw [1/Å], at most 100), `MaxFilter` (previews and regions show
block maxima, so that single photons stay visible) and `SaveRaw` (the Balor's own, through the
property `BalorDevice`; see [photons](photons.md)).

The commands that save and load files stay in the folders of the property `AllowedFolders`, links
followed; empty: in `OutputFolder` and the folder of the scan's raw file, or anywhere while
`OutputFolder` is empty too. Others are refused as `Femtomax_BadPath`.
"""

_RESULTS = """
## Results

Read only. The source says which part tells a value, and what its time stamp means:

- *reducer*: when these results were fetched; values of one moment carry the same time stamp.
- *poll*: when the reducer answered last, whether it had news or not.
- *controller*: when the controller answered last.
- *device*: since when it is so. VALID when the pipeline is away, too; the others are INVALID then.

"""


def device_page() -> str:
    """Return the page as Markdown."""
    settings = [p for p in PARAMETERS.values() if p.attribute is not None]
    parts = [
        _HEAD,
        "\n## Settings\n\n"
        "Read and write, kept over a restart. The parameter is dranspose's name.\n\n",
        _table(
            ("attribute", "parameter", "type", "default", "limits", "unit", "meaning"),
            map(_setting, settings),
        ),
        _MORE,
        _RESULTS,
        _table(("attribute", "type", "unit", "source", "meaning"), map(_result, RESULTS)),
    ]
    return "".join(parts)


def _setting(parameter: Parameter) -> tuple[str, ...]:
    limits = "" if parameter.limits is None else "{:g} … {:g}".format(*parameter.limits)
    default = "" if parameter.default == "" else f"`{parameter.default}`"
    return (
        f"`{parameter.attribute}`",
        f"`{parameter.name}`",
        f"enum: {', '.join(parameter.choices)}" if parameter.choices else parameter.kind.__name__,
        default,
        limits,
        parameter.unit,
        parameter.help,
    )


def _result(result: Result) -> tuple[str, ...]:
    shape = ("", " spectrum", " image")[len(result.dims)]
    kind = f"{result.kind.__name__}{shape}"
    return f"`{result.name}`", kind, result.unit, str(result.source), result.doc


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |\n" for line in lines)
