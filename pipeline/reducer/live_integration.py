"""Keep the azimuthal curve of the geometry's camera up to date, at most twice a second."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.diffraction.azimuthal_curve import AzimuthalCurve
from pipeline.diffraction.geometry import Geometry, from_settings, missing
from pipeline.diffraction.integration import Integrator, share_of
from pipeline.model.cameras import CAMERAS, Unit
from pipeline.model.parameters import Settings
from pipeline.model.roi import Roi
from pipeline.protocols import snapshot
from pipeline.reducer.growing_sum import Sum
from pipeline.reducer.state import ReducerState

_INTERVAL = 0.5
"""Seconds from one integration to the next."""


@dataclass(frozen=True)
class _Job:
    """Everything that a curve depends on."""

    camera: str
    changes: int
    """Of the accumulation."""
    bins: int
    geometry: Geometry
    polarization: float | None


@dataclass(frozen=True)
class PublishedCurve:
    """What is published of one integration; at first nothing."""

    geometry: snapshot.Geometry = snapshot.NOTHING.geometry
    azimuthal: snapshot.Azimuthal = snapshot.NOTHING.azimuthal
    """Without a curve the geometry says why."""


def geometry_of(settings: Settings, total: Sum) -> Geometry | None:
    """Return the geometry of an image, or None when it is not set."""
    return from_settings(settings, CAMERAS[total.stream].pixel_size, total.shape)


def region_of(total: Sum) -> Roi | None:
    """Return the part of an image that was analysed; None: all of it."""
    return None if total.photon_region is None else Roi(*total.photon_region)


def share_seen(total: Sum) -> NDArray[np.float32] | None:
    """Return the share of a sum's frames that saw each pixel; None: all saw every valid one."""
    return share_of(total.frames_seen, total.count)


class LiveIntegration:
    """Integrates outside of the path of results: takes the lock only to copy the image."""

    def __init__(self, state: ReducerState) -> None:
        self._state = state
        self._integrator = Integrator()
        self._done: object = None
        self._last = -_INTERVAL
        self._warm = False

    def up_to_date(self) -> bool:
        """Say whether the curve is that of the image as it is now; call under the lock."""
        total, settings = self._image(), self._state.settings
        geometry = None if total is None else geometry_of(settings, total)
        if total is None or geometry is None or settings.azimuthal_bins == 0:
            return True
        return self._done == self._job(total, geometry)

    def _image(self) -> Sum | None:
        """Return the image of the camera that the geometry belongs to."""
        return self._state.accumulation.shown(self._state.geometry_camera())

    def _job(self, total: Sum, geometry: Geometry) -> _Job:
        changes = self._state.accumulation.of(total.stream).changes
        settings = self._state.settings
        return _Job(total.stream, changes, settings.azimuthal_bins, geometry, settings.polarization)

    def integrate_if_due(self, now: float, show: Callable[[PublishedCurve], None]) -> None:
        """Compute the curve when something has changed and it is time.

        Args:
            now: monotonic time [s].
            show: takes what to publish; not called when nothing has changed.
        """
        if now - self._last < _INTERVAL:
            return
        self._warm_up()
        with self._state.lock:
            settings = self._state.settings
            total, camera = self._image(), self._state.geometry_camera()
            geometry = None if total is None else geometry_of(settings, total)
            if total is None or geometry is None:
                of_camera = f" of {camera}" if camera else ""
                reason = missing(settings) or f"There is no image{of_camera} yet."
                nothing = snapshot.Geometry(reason=reason, camera=camera or None)
                self._once((reason, camera), PublishedCurve(nothing), show)
                return
            job = self._job(total, geometry)
            if job == self._done:
                return
            image = total.image.astype(np.float64)
            valid = total.valid
            if valid is not None:
                image[~valid] = np.nan
            unit, region, share = total.unit, region_of(total), share_seen(total)
        self._last = now
        if job.bins == 0:
            self._once(job, _to_publish(geometry, job.camera, None), show)
            return
        curve = self._integrator.integrate(
            image, geometry, job.bins, unit, region, job.polarization, share
        )
        self._once(job, _to_publish(geometry, job.camera, curve), show)

    def _warm_up(self) -> None:
        """Import pyFAI and compile, two seconds together, before the first image if possible."""
        geometry = from_settings(self._state.settings, (1e-4, 1e-4), (2, 2))
        if not self._warm and geometry is not None:
            self._warm = True
            geometry.to_poni()
            for unit in (Unit.COUNTS, Unit.TOT):
                Integrator().integrate(np.zeros((2, 2)), geometry, 1, unit)

    def _once(
        self, done: object, curve: PublishedCurve, show: Callable[[PublishedCurve], None]
    ) -> None:
        with self._state.lock:
            if done != self._done:
                self._done = done
                show(curve)


def _to_publish(geometry: Geometry, camera: str, curve: AzimuthalCurve | None) -> PublishedCurve:
    poni = geometry.to_poni()
    if curve is None:
        reason = "AzimuthalBins is 0: integration is switched off."
        return PublishedCurve(snapshot.Geometry(poni=poni, reason=reason, camera=camera))
    return PublishedCurve(
        snapshot.Geometry(poni=poni, camera=camera),
        snapshot.Azimuthal(q=curve.q, intensity=curve.intensity, intensity_errors=curve.errors),
    )
