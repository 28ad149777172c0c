"""Where a cone of scattering meets a flat detector: ellipses, parabolas, hyperbolas."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

_MAX_SAG = 0.01
"""How far a straight piece may lie from the curve [pixel]."""
_FIRST_PIECES = 48
_MAX_HALVINGS = 16


@dataclass(frozen=True)
class Plane:
    """A flat detector in the laboratory: pixel ``(y, x)`` is at ``origin + y step_y + x step_x``.

    Vectors are ``(3,) float64`` [m] in pyFAI's order: y, x, along the beam; the sample is at 0.
    """

    origin: Points
    """Centre of the first pixel."""
    step_y: Points
    step_x: Points
    shape: tuple[int, int]

    @property
    def normal(self) -> Points:
        """Unit vector away from the sample."""
        normal = np.cross(self.step_x, self.step_y)
        normal /= np.linalg.norm(normal)
        return normal if normal @ self.origin > 0 else -normal

    def at(self, y: Points, x: Points) -> Points:
        """Return positions ``(..., 3)`` [m] of pixel coordinates."""
        return self.origin + np.multiply.outer(y, self.step_y) + np.multiply.outer(x, self.step_x)


def ring(plane: Plane, two_theta: float) -> Points:
    """Draw the curve of one scattering angle, cut to the centres of the outermost pixels.

    The curve is followed by the azimuth around the beam: each azimuth has one ray of the cone,
    and a ray meets the plane at most once. The crossings with the image's edges are roots of
    quadratics; between two of them the curve is either inside or outside.

    Args:
        plane: the detector.
        two_theta: scattering angle [rad], between 0 and pi.

    Returns:
        ``(n, 2) float64`` of ``(y, x)`` [pixel, integer = centre], a NaN row between two pieces;
        ``(0, 2)`` when the detector does not see the angle.
    """
    curve = _Curve(plane, two_theta)
    pieces = [curve.follow(*span) for span in _inside(curve)]
    if not pieces:
        return np.empty((0, 2))
    gap = np.full((1, 2), np.nan)
    joined = [pieces[0]]
    for piece in pieces[1:]:
        joined += [gap, piece]
    return np.concatenate(joined)


class _Curve:
    def __init__(self, plane: Plane, two_theta: float) -> None:
        self.plane = plane
        self.limits = np.array(plane.shape, dtype=np.float64) - 1.0
        self.cos, self.sin = math.cos(two_theta), math.sin(two_theta)
        self.normal = plane.normal
        self.distance = float(self.normal @ plane.origin)
        # Rows that give pixel coordinates of a vector in the plane.
        steps = np.stack([plane.step_y, plane.step_x])
        self.to_pixels = steps / np.sum(steps**2, axis=1, keepdims=True)

    def points(self, azimuth: Points) -> Points:
        """Return ``(n, 2)`` pixel coordinates; NaN where the ray misses the plane."""
        rays = np.stack(
            [
                self.sin * np.sin(azimuth),
                self.sin * np.cos(azimuth),
                np.full_like(azimuth, self.cos),
            ],
            axis=-1,
        )
        approach = rays @ self.normal
        with np.errstate(divide="ignore"):
            length = np.where(approach > 0, self.distance / approach, np.nan)
        return (rays * length[:, None] - self.plane.origin) @ self.to_pixels.T

    def contains(self, azimuth: float) -> bool:
        point = self.points(np.array([azimuth]))[0]
        return bool(np.all((point >= 0) & (point <= self.limits)))

    def crossings(self) -> list[float]:
        """Return azimuths where the double cone meets the lines of the image's edges.

        Some may be of the cone's other half, or beyond the corners: they do no harm.
        """
        ny, nx = self.limits
        plane = self.plane
        corners = plane.at(np.array([0.0, 0.0, ny]), np.array([0.0, nx, 0.0]))
        lines = [
            (corners[0], plane.step_y),
            (corners[1], plane.step_y),
            (corners[0], plane.step_x),
            (corners[2], plane.step_x),
        ]
        found: list[float] = []
        for start, step in lines:
            for way in self._roots(start, step):
                point = start + way * step
                found.append(math.atan2(point[0], point[1]) % (2 * math.pi))
        return sorted(found)

    def _roots(self, start: Points, step: Points) -> list[float]:
        # beam component² = cos² |position|², along start + way * step
        squared = self.cos**2
        a = step[2] ** 2 - squared * (step @ step)
        b = start[2] * step[2] - squared * (start @ step)
        c = start[2] ** 2 - squared * (start @ start)
        root = b * b - a * c
        # A line that touches the curve has a double root, which rounding may put below zero.
        if root < 0:
            if root < -1e-9 * max(b * b, abs(a * c)):
                return []
            root = 0.0
        far = -(b + math.copysign(math.sqrt(root), b))
        return [
            over / under for over, under in ((far, a), (c, far)) if abs(under) > 1e-15 * abs(over)
        ]

    def follow(self, start: float, end: float) -> Points:
        """Return points so close together that straight lines between them are the curve."""
        azimuth = np.linspace(start, end, _FIRST_PIECES + 1)
        points = self.points(azimuth)
        for _ in range(_MAX_HALVINGS):
            middle = 0.5 * (azimuth[1:] + azimuth[:-1])
            between = self.points(middle)
            chord = points[1:] - points[:-1]
            aside = between - points[:-1]
            area = np.abs(chord[:, 0] * aside[:, 1] - chord[:, 1] * aside[:, 0])
            rough = np.flatnonzero(area > _MAX_SAG * np.hypot(chord[:, 0], chord[:, 1]))
            if not len(rough):
                break
            azimuth = np.insert(azimuth, rough + 1, middle[rough])
            points = np.insert(points, rough + 1, between[rough], axis=0)
        return np.clip(points, 0.0, self.limits)


def _inside(curve: _Curve) -> list[tuple[float, float]]:
    """Return the spans of azimuth in which the curve is on the image."""
    turn = 2 * math.pi
    cuts = curve.crossings()
    if not cuts:
        return [(0.0, turn)] if curve.contains(0.0) else []
    ends = [*cuts[1:], cuts[0] + turn]
    spans = [
        (start, end)
        for start, end in zip(cuts, ends, strict=True)
        if end > start and curve.contains(0.5 * (start + end))
    ]
    merged: list[tuple[float, float]] = []
    for start, end in spans:
        if merged and merged[-1][1] == start:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    if len(merged) > 1 and merged[-1][1] == merged[0][0] + turn:
        first = merged.pop(0)
        merged[-1] = (merged[-1][0], first[1] + turn)
    return merged
