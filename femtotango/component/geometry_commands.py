"""What the commands on geometry and files do, given a view; knows nothing of Tango."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from femtotango.component.image_reader import ExactImage, FullImage, image_shape
from femtotango.component.state import View
from femtotango.errors import BadPath, BadRequest, NoGeometry, NoImage
from pipeline.diffraction.azimuthal_curve import AzimuthalCurve
from pipeline.diffraction.geometry import (
    Geometry,
    GeometryError,
    calibrant_q,
    from_poni,
    from_settings,
    missing,
    with_geometry_of,
)
from pipeline.diffraction.poni import PoniError
from pipeline.files.atomic import FileError, existing_path, resolve_path, write_new
from pipeline.files.nexus_image import ImageRecord, save_image
from pipeline.model.frame_ranges import FrameRanges
from pipeline.model.parameters import PARAMETERS, Settings
from pipeline.model.roi import Roi
from pipeline.protocols.snapshot import CameraImage


def geometry(view: View, camera: str = "") -> Geometry:
    """Return the geometry of the camera that it belongs to.

    Args:
        view: as clients see it.
        camera: for which it is wanted; empty: for the one that it belongs to.

    Raises:
        NoGeometry: something is not set, or the geometry is another camera's.
        NoImage: shape and pixel size are not known.
    """
    reason = missing(view.settings)
    if reason:
        raise NoGeometry(reason)
    owner = view.geometry_camera
    if camera and owner and camera != owner:
        raise NoGeometry(
            f"The geometry is that of {owner}, not of {camera}: set GeometryCamera to use it there."
        )
    shape = image_shape(view, owner)
    found = from_settings(view.settings, _pixel_size(view, owner), shape)
    if found is None:
        raise NoGeometry("The geometry is not set.")
    return found


def _pixel_size(view: View, camera: str = "") -> tuple[float, float]:
    size = view.image(camera).pixel_size
    if size is None:
        raise NoImage("There is no image yet, so its pixel size is not known: take a frame first.")
    return float(size[0]), float(size[1])


def q_curve(view: View, q: float, camera: str) -> NDArray[np.float64]:
    """Return a ring as flat ``y0, x0, y1, x1, …`` [pixel], NaN between branches.

    Args:
        view: as clients see it.
        q: scattering vector [1/Å].
        camera: on whose image it is drawn; empty: there is none.

    Raises:
        BadRequest: q is not above 0.
        NoGeometry, NoImage: there is nothing to draw it on.
    """
    if not q > 0 or not np.isfinite(q):
        raise BadRequest(f"q = {q:g}: expected a scattering vector above 0 [1/Å].")
    return geometry(view, camera).ring(q).reshape(-1)


def calibrant(view: View, name: str, limit: int) -> NDArray[np.float64]:
    """Return the first lines of a calibrant that the detector sees [1/Å].

    Raises:
        BadRequest: there is no calibrant of that name, or the detector sees none of its lines.
        NoGeometry, NoImage: it is not known what the detector sees.
    """
    try:
        q = calibrant_q(name, geometry(view))
    except GeometryError as error:
        raise BadRequest(str(error)) from error
    if not len(q):
        raise BadRequest(
            f"The detector sees no line of {name}: check Distance, PhotonEnergy, BeamX and BeamY."
        )
    return q[:limit]


def save_poni(view: View, path: str) -> Path:
    """Write the PONI file and return where.

    Raises:
        BadPath: the file cannot be written, or is there already.
        NoGeometry, NoImage: there is nothing to write.
    """
    text = geometry(view).to_poni()
    try:
        full = resolve_path(path, view.settings.output_folder, view.file_folders)
        write_new(full, lambda part: part.write_text(text, encoding="utf8"))
    except FileError as error:
        raise BadPath(str(error)) from error
    return full


def load_poni(view: View, path: str) -> Mapping[str, float]:
    """Read a PONI file for the shown camera and return values by parameter name.

    Raises:
        BadPath: the file cannot be read.
        BadRequest: it cannot be used.
    """
    known = view.image().image_shape is not None
    try:
        full = existing_path(path, view.settings.output_folder, view.file_folders)
        found = from_poni(
            full.read_text(encoding="utf8"),
            _pixel_size(view) if known else None,
            image_shape(view) if known else None,
        )
    except FileError as error:
        raise BadPath(str(error)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise BadPath(f"{path}: cannot be read as a PONI file ({error}).") from error
    except PoniError as error:
        raise BadRequest(f"{path}: {error}") from error
    return found.settings


def save_exact_image(view: View, images: FullImage, path: str, camera: str = "") -> Path:
    """Write the exact image as NeXus and return where.

    The geometry is the one that is set now, since it may be found long after the image was taken;
    the curve is computed with it. All other settings are those of the image.

    Args:
        view: as clients see it.
        images: fetches it.
        path: of the file.
        camera: whose image; empty: the one that is shown.

    Raises:
        BadPath: the file cannot be written, or is there already.
        NoImage: there is none.
        PipelineError: the reducer cannot be reached.
    """
    image_shape(view, camera)
    try:
        full = resolve_path(path, view.settings.output_folder, view.file_folders)
        exact = images.exact(camera)
        about = exact.about
        view = replace(view, results=replace(view.results, snapshot=exact.snapshot))
        found = _geometry_of(view, about.detector or "")
        save_image(
            full,
            ImageRecord(
                image=exact.image,
                valid=exact.valid,
                count=about.accumulated_number,
                unit=about.image_unit or "",
                detector=about.detector or "",
                pixel_size=_pixel_size(view, camera),
                frames=_frames(about),
                settings=_settings(view.settings, about),
                geometry=found,
                curve=_curve(view.settings, found, exact),
                corrections=json.loads(about.sum_corrections or "{}"),
                frames_seen=exact.frames_seen,
            ),
        )
    except FileError as error:
        raise BadPath(str(error)) from error
    return full


def _geometry_of(view: View, camera: str) -> Geometry | None:
    try:
        return geometry(view, camera)
    except NoGeometry:
        return None


def _frames(about: CameraImage) -> tuple[tuple[str, FrameRanges], ...]:
    scans = json.loads(about.sum_frames or "{}")
    return tuple((scan, FrameRanges(ranges)) for scan, ranges in scans.items())


def _settings(now: Settings, about: CameraImage) -> Settings:
    settings = now
    of_the_image = json.loads(about.sum_settings or "{}")
    for name in PARAMETERS.keys() & of_the_image.keys():
        settings = settings.replaced(name, of_the_image[name])
    return with_geometry_of(settings, now)


def _curve(settings: Settings, found: Geometry | None, exact: ExactImage) -> AzimuthalCurve | None:
    if found is None or not settings.azimuthal_bins:
        return None
    # Its compiler would be a sixth of the start of the device.
    from pipeline.diffraction.integration import Integrator, share_of

    image = exact.image
    if exact.valid is not None:
        image = np.where(exact.valid, image, np.nan)
    region = exact.about.image_region
    return Integrator().integrate(
        image,
        found,
        settings.azimuthal_bins,
        exact.about.image_unit or "",
        None if region is None else Roi(*region.tolist()),
        settings.polarization,
        share_of(exact.frames_seen, exact.about.accumulated_number),
    )
