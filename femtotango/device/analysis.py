"""The Tango device class FemtomaxAnalysis and its server: the commands."""

import sys
from typing import Any

from tango.server import command, run

from femtotango.component import correction_commands, geometry_commands, roi_commands
from femtotango.component.camera_request import (
    FILE,
    REGION,
    RING,
    camera_of,
    file_of,
    region_of,
    ring_of,
)
from femtotango.component.scan_request import parse_request
from femtotango.device.attributes import MAX_Q_VALUES
from femtotango.device.declared_properties import DeclaredProperties
from femtotango.device.tango_errors import reported, waits
from femtotango.device.tango_logs import log_to_stderr
from pipeline.model.dark_request import FEWEST_DARKS, MOST_DARKS


class FemtomaxAnalysis(DeclaredProperties):
    """Live analysis of the FemtoMAX cameras: settings, results and scans of the pipeline."""

    # Accumulation and ROIs

    @command(doc_in="Sum frames from now on; a new sum begins unless one is running.")
    @waits
    def StartAccumulation(self) -> None:
        """Set Accumulate."""
        self._set(accumulate=True)
        self._component.delivery.wait_in_force()

    @command(doc_in="Forward the newest frame instead of summing.")
    @waits
    def StopAccumulation(self) -> None:
        """Clear Accumulate."""
        self._set(accumulate=False)
        self._component.delivery.wait_delivered()

    @command(doc_in="Begin a new sum.")
    @waits
    def ResetAccumulation(self) -> None:
        """Raise the accumulation's number."""
        self._component.new_sum()
        self._component.delivery.wait_in_force()

    @command(
        dtype_out=str,
        doc_out="JSON: detector, unit, count, scans with frames, settings, their hash, dark, mask",
    )
    def GetLedger(self) -> str:
        """Say what is in the accumulated image."""
        return self._component.view.snapshot.shown.ledger or "{}"

    @command(
        dtype_in=str,
        doc_in='{"name": "a", "x": 1, "y": 2, "width": 3, "height": 4}, with "camera": "pilatus" '
        "or of the camera that is shown.",
    )
    def AddRoi(self, text: str) -> None:
        """Add a ROI, or replace the one of that name."""
        view = self._component.view
        with reported("AddRoi"):
            self._set(rois=roi_commands.add_roi(view.settings.rois, text, view.shown_camera))

    @command(dtype_in=str, doc_in="Name of the ROI.")
    def RemoveRoi(self, name: str) -> None:
        """Remove a ROI."""
        with reported("RemoveRoi"):
            self._set(rois=roi_commands.remove_roi(self._component.view.settings.rois, name))

    @command
    def ClearRois(self) -> None:
        """Remove all ROIs."""
        with reported("ClearRois"):
            self._set(rois="{}")

    @command(
        dtype_in=str,
        doc_in="A camera; empty: the one that is shown.",
        dtype_out=str,
        doc_out='JSON: {"camera": ..., "unit": ..., "frames": ..., "rois": {"name": {"mean": ..., '
        '"sum": ..., "max": ..., "x": ..., "y": ..., "pixels": ...}}}; null: nothing is seen.',
    )
    @waits
    def GetRoiStatistics(self, camera: str) -> str:
        """Measure the ROIs of a camera in its image, those drawn after its frames too."""
        return self._images.rois(self._component.view, camera_of(camera))

    # Scans

    @command(
        dtype_in=str,
        doc_in='{"streams": [...], "steps": points, "burst": frames per point, '
        '"timeout": the client\'s own [s]}: after that nothing begins any more.',
    )
    @waits
    def PrepareScan(self, request: str) -> None:
        """Return when detectors and Sardana may start."""
        self._component.prepare(parse_request(request))
        self._add_cameras()

    @command
    @waits
    def StopScan(self) -> None:
        """Give up what is outstanding and count it."""
        self._component.stop(continuous=False)

    @command(
        dtype_in=(str,),
        doc_in="Streams: cameras; series at least 1 s apart, sooner frames are lost.",
    )
    @waits
    def StartContinuous(self, streams: list[str]) -> None:
        """Take frames as they come; begin anew after each series."""
        self._component.start_continuous(streams)
        self._add_cameras()

    @command
    @waits
    def StopContinuous(self) -> None:
        """End continuous mode."""
        self._component.stop(continuous=True)

    # Raw data

    @command
    @waits
    def AcknowledgeLoss(self) -> None:
        """Forget UnsafeFrames and end its alarm: somebody has noted them."""
        self._balor.acknowledge()

    # Dark level and mask

    @command(
        dtype_in=int,
        doc_in=f"How many of the next frames of the shown camera, {FEWEST_DARKS} ... {MOST_DARKS}.",
    )
    @waits
    def TakeDark(self, frames: int) -> None:
        """Make a dark level of the next frames, used in the place of Background from then on."""
        saves_somewhere = bool(self.JournalFolder)
        self._set(**correction_commands.take_dark(self._component.view, frames, saves_somewhere))
        self._component.delivery.wait_in_force()

    @command
    @waits
    def ClearDark(self) -> None:
        """Use Background again for the shown camera; a dark level that is being taken is not."""
        self._set(**correction_commands.clear_dark(self._component.view))
        self._component.delivery.wait_delivered()

    @command(
        dtype_in=str,
        doc_in="Path as in LoadPoni, of a file that h5py or fabio reads; ::DATASET behind it where "
        "there are several. Bad pixels are not 0.",
    )
    @waits
    def LoadMask(self, path: str) -> None:
        """Leave out the bad pixels of the shown camera."""
        self._set(**correction_commands.load_mask(self._component.view, path))
        self._component.delivery.wait_in_force()

    @command
    @waits
    def ClearMask(self) -> None:
        """Use no mask for the shown camera."""
        self._set(**correction_commands.clear_mask(self._component.view))
        self._component.delivery.wait_delivered()

    # Geometry, files and pixels

    @command(
        dtype_in=float, doc_in="q [1/angstrom]", dtype_out=(float,), doc_out="y0, x0, y1, x1, ..."
    )
    @waits
    def QCurve(self, q: float) -> Any:
        """Draw a ring on the shown image; NaN between its branches."""
        view = self._component.view
        return geometry_commands.q_curve(view, q, view.shown_camera)

    @command(
        dtype_in=str,
        doc_in=f"{RING}, q in 1/angstrom",
        dtype_out=(float,),
        doc_out="y0, x0, y1, x1, ...",
    )
    @waits
    def CameraQCurve(self, request: str) -> Any:
        """Draw a ring on the image of a camera; NaN between its branches."""
        view = self._component.view
        camera, q = ring_of(request)
        return geometry_commands.q_curve(view, q, camera or view.shown_camera)

    @command(dtype_in=str, doc_in="A calibrant of pyFAI, LaB6.")
    @waits
    def UseCalibrant(self, name: str) -> None:
        """Fill QValues with the lines that the camera of the geometry sees."""
        view = self._component.view
        if not view.settings.geometry_camera and view.shown_camera:
            self._set(geometry_camera=view.shown_camera)
        self.write_q_values(geometry_commands.calibrant(self._component.view, name, MAX_Q_VALUES))

    @command(dtype_in=str, doc_in="Path in AllowedFolders; relative ones are under OutputFolder.")
    @waits
    def SavePoni(self, path: str) -> None:
        """Write the geometry as a PONI file."""
        geometry_commands.save_poni(self._component.view, path)

    @command(dtype_in=str, doc_in="Path in AllowedFolders; relative ones are under OutputFolder.")
    @waits
    def LoadPoni(self, path: str) -> None:
        """Set the geometry from a PONI file."""
        self._set(**geometry_commands.load_poni(self._component.view, path))

    @command(dtype_in=str, doc_in="Path in AllowedFolders; relative ones are under OutputFolder.")
    @waits
    def SaveImage(self, path: str) -> None:
        """Write the exact image as NeXus."""
        geometry_commands.save_exact_image(self._component.view, self._images, path)

    @command(dtype_in=str, doc_in=f"{FILE}; the path as in SaveImage.")
    @waits
    def SaveCameraImage(self, request: str) -> None:
        """Write the exact image of a camera as NeXus."""
        camera, path = file_of(request)
        geometry_commands.save_exact_image(self._component.view, self._images, path, camera)

    @command(
        dtype_in=(int,),
        doc_in="x, y, width, height, binning [pixel]",
        dtype_out="DevEncoded",
        doc_out="npy: float32 (y, x), block means or maxima",
    )
    @waits
    def GetRegion(self, numbers: Any) -> tuple[str, bytes]:
        """Return a binned rectangle of the image."""
        return "npy", self._images.region(self._component.view, [int(n) for n in numbers])

    @command(
        dtype_in=str,
        doc_in=REGION,
        dtype_out="DevEncoded",
        doc_out="npy: float32 (y, x), block means or maxima",
    )
    @waits
    def GetCameraRegion(self, request: str) -> tuple[str, bytes]:
        """Return a binned rectangle of a camera's image."""
        camera, numbers = region_of(request)
        return "npy", self._images.region(self._component.view, numbers, camera)


def main() -> None:
    """Run the server ``FemtomaxAnalysis INSTANCE``, however it was started."""
    log_to_stderr()
    run((FemtomaxAnalysis,), [FemtomaxAnalysis.__name__, *sys.argv[1:]])


if __name__ == "__main__":
    main()
