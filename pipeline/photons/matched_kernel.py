"""The compiled part of the matched filter; `pipeline.photons.matched` defines what it finds."""

import math

import numba
import numpy as np

_ROUNDS = 30
_STILL = 1e-3
"""A fit whose position moves by less is taken [pixel]."""
_BLOCK = 32
"""Pixels of a row that are looked through together."""
_FARTHEST = 1.0
"""A fit may move so far from the pixel that was the maximum [pixel]."""


@numba.njit(nogil=True, cache=True, fastmath=True)
def _fold_row(image, offset, weight, taps, u, out):  # type: ignore[no-untyped-def]
    """Weigh one row and fold it with the cloud along x; `u` has margins of 0."""
    nx, reach = out.size, taps.size // 2
    inner = u[reach : reach + nx]  # with an index that may be negative it is not vectorized
    for x in range(nx):
        inner[x] = (np.float32(image[x]) - offset[x]) * weight[x]
    if reach == 2:  # the usual cloud: one pass instead of one for each tap
        t0, t1, t2 = taps[2], taps[1], taps[0]
        u0, u1, u2, u3, u4 = u[:nx], u[1 : nx + 1], u[2 : nx + 2], u[3 : nx + 3], u[4 : nx + 4]
        for x in range(nx):
            out[x] = t0 * u2[x] + t1 * (u1[x] + u3[x]) + t2 * (u0[x] + u4[x])
        return
    out[:] = 0
    for k in range(taps.size):
        part = u[k : k + nx]
        for x in range(nx):
            out[x] += taps[k] * part[x]


@numba.njit(nogil=True, cache=True, fastmath=True)
def _fold_column(folded, first, taps, scale, level, out, counts):  # type: ignore[no-untyped-def]
    """Fold rows with the cloud along y; count the pixels of each block that reach the level."""
    nx, size = out.size, taps.size
    if size == 5:
        t0, t1, t2 = taps[2], taps[1], taps[0]
        r0, r1, r2 = folded[first % 5], folded[(first + 1) % 5], folded[(first + 2) % 5]
        r3, r4 = folded[(first + 3) % 5], folded[(first + 4) % 5]
        for x in range(nx):
            total = t0 * r2[x] + t1 * (r1[x] + r3[x]) + t2 * (r0[x] + r4[x])
            out[x] = total * scale[x]
    else:
        out[:] = 0
        for k in range(size):
            line = folded[(first + k) % size]
            for x in range(nx):
                out[x] += taps[k] * line[x]
        for x in range(nx):
            out[x] *= scale[x]
    for block in range(counts.size):
        part = out[block * _BLOCK : (block + 1) * _BLOCK]
        count = np.int32(0)
        for x in range(part.size):
            count += np.int32(1) if part[x] >= level else np.int32(0)
        counts[block] = count


@numba.njit(nogil=True, cache=True)
def candidates(image, offset, weight, scale, taps, threshold):  # type: ignore[no-untyped-def]
    """List the local maxima of the signal-to-noise image.

    Args:
        image: ``(ny, nx)`` C-contiguous [ADU raw].
        offset: ``(ny, nx) float32`` [ADU raw].
        weight: ``(ny, nx) float32``, 1 / noise² [1/ADU²], 0 for bad pixels.
        scale: ``(ny, nx) float32``, what the folded image is multiplied with, see `norms`.
        taps: ``(2 reach + 1,) float32``, the cloud along one axis.
        threshold: of the signal-to-noise ratio.

    Returns:
        ``(n,)`` flat pixel numbers in reading order.
    """
    ny, nx = image.shape
    size, reach = taps.size, taps.size // 2
    u = np.zeros(nx + 2 * reach, np.float32)
    folded = np.zeros((size, nx), np.float32)
    ratio = np.zeros((3, nx), np.float32)
    counts = np.zeros((3, (nx + _BLOCK - 1) // _BLOCK), np.int32)
    level = np.float32(threshold)
    found = np.empty(256, np.int64)
    n = 0
    for row in range(ny + reach + 1):
        if row < ny:
            _fold_row(image[row], offset[row], weight[row], taps, u, folded[row % size])
        elif row < ny + reach:
            folded[row % size, :] = 0
        y = row - reach
        if y < 0:
            continue
        here = ratio[y % 3]
        if y < ny:
            first = y - reach + size  # never negative
            _fold_column(folded, first, taps, scale[y], level, here, counts[y % 3])
        else:
            here[:] = 0
        # Maxima are looked for one row late, when the row below them is known.
        if y < 1:
            continue
        up, middle, down = ratio[(y - 2) % 3], ratio[(y - 1) % 3], here
        for block in range(counts.shape[1]):
            if counts[(y - 1) % 3, block] == 0:
                continue
            for x in range(block * _BLOCK, min((block + 1) * _BLOCK, nx)):
                if middle[x] >= level and _is_highest(up, middle, down, x, y > 1, y < ny):
                    if n == found.size:
                        found = np.concatenate((found, np.empty_like(found)))
                    found[n] = (y - 1) * nx + x
                    n += 1
    return found[:n]


@numba.njit(nogil=True, cache=True)
def _is_highest(up, middle, down, x, has_up, has_down):  # type: ignore[no-untyped-def]
    """Say whether a pixel is the maximum of its nine; of equal ones the first in reading order."""
    value, nx = middle[x], middle.size
    for i in range(max(x - 1, 0), min(x + 2, nx)):
        if (has_up and up[i] >= value) or (has_down and down[i] > value):
            return False
    return not ((x > 0 and middle[x - 1] >= value) or (x < nx - 1 and middle[x + 1] > value))


@numba.njit(nogil=True, cache=True)
def norms(weight, taps):  # type: ignore[no-untyped-def]
    """Return ``1 / sqrt(sum(cloud² weight))`` around each pixel; 0 where too little is known.

    Args:
        weight: as in `candidates`.
        taps: as in `candidates`.
    """
    ny, nx = weight.shape
    reach = taps.size // 2
    scale = np.zeros((ny, nx), np.float32)
    for y in range(ny):
        for x in range(nx):
            total, known, whole = 0.0, 0.0, 0.0
            for j in range(-reach, reach + 1):
                for i in range(-reach, reach + 1):
                    cloud = np.float64(taps[j + reach]) * taps[i + reach]
                    whole += cloud
                    if 0 <= y + j < ny and 0 <= x + i < nx and weight[y + j, x + i] > 0:
                        known += cloud
                        total += cloud * cloud * weight[y + j, x + i]
            # Of a cloud that lies half on bad pixels, energy and position cannot be told.
            if known > 0.6 * whole:
                scale[y, x] = 1 / math.sqrt(total)
    return scale


@numba.njit(nogil=True, cache=True)
def _cloud(centre, sigma, first, share, slope):  # type: ignore[no-untyped-def]
    """Fill in a Gaussian integrated over pixels, and its derivative by the centre."""
    unit = 1 / (math.sqrt(2.0) * sigma)
    height = 1 / (math.sqrt(2 * math.pi) * sigma)
    edge = first - 0.5 - centre
    below, density = math.erf(edge * unit), math.exp(-0.5 * (edge / sigma) ** 2)
    for i in range(share.size):
        edge = first + i + 0.5 - centre
        below_next, density_next = math.erf(edge * unit), math.exp(-0.5 * (edge / sigma) ** 2)
        share[i] = 0.5 * (below_next - below)
        slope[i] = height * (density - density_next)
        below, density = below_next, density_next


@numba.njit(nogil=True, cache=True)
def fit_clouds(image, offset, weight, pixels, sigma, reach):  # type: ignore[no-untyped-def]
    """Fit energy and position of a cloud at each candidate, weighed by the pixels' noise.

    Args:
        image: as in `candidates`.
        offset: as in `candidates`.
        weight: as in `candidates`.
        pixels: ``(n,)`` flat pixel numbers.
        sigma: of the cloud [pixel].
        reach: pixels at most so far from the candidate are looked at.

    Returns:
        ``(n, 9)`` y, x, energy, their standard errors, signal-to-noise ratio, χ², and number of
        pixels; a row of NaN where the fit has no result.
    """
    ny, nx = image.shape
    size = 2 * reach + 1
    table = np.full((len(pixels), 9), np.nan)
    fy, fx, gy, gx = np.empty(size), np.empty(size), np.empty(size), np.empty(size)
    for row in range(len(pixels)):
        py, px = pixels[row] // nx, pixels[row] % nx
        y0, x0 = py - reach, px - reach
        y, x, damping = float(py), float(px), 1e-3
        ratio2 = -1.0
        best_y, best_x = y, x
        a = b = c = down_y = down_x = 0.0
        for _ in range(_ROUNDS):
            _cloud(y, sigma, y0, fy, gy)
            _cloud(x, sigma, x0, fx, gx)
            ff = fs = yy = xx = xy = fyc = fxc = ys = xs = ss = 0.0
            used = 0
            for j in range(max(-y0, 0), min(size, ny - y0)):
                for i in range(max(-x0, 0), min(size, nx - x0)):
                    w = np.float64(weight[y0 + j, x0 + i])
                    if w <= 0:
                        continue
                    s = np.float64(image[y0 + j, x0 + i]) - offset[y0 + j, x0 + i]
                    f, dy, dx = fy[j] * fx[i], gy[j] * fx[i], fy[j] * gx[i]
                    used += 1
                    ss += w * s * s
                    ff += w * f * f
                    fs += w * f * s
                    yy += w * dy * dy
                    xx += w * dx * dx
                    xy += w * dy * dx
                    fyc += w * f * dy
                    fxc += w * f * dx
                    ys += w * dy * s
                    xs += w * dx * s
            if not (ff > 0 and fs > 0):
                break
            # The energy that is best at this place is known; only the place has to be looked for.
            energy = fs / ff
            now = fs * fs / ff
            if now > ratio2:
                gained = now - ratio2
                moved = max(abs(y - best_y), abs(x - best_x))
                ratio2, best_y, best_x = now, y, x
                a = energy * energy * (yy - fyc * fyc / ff)
                b = energy * energy * (xx - fxc * fxc / ff)
                c = energy * energy * (xy - fyc * fxc / ff)
                down_y, down_x = energy * (ys - energy * fyc), energy * (xs - energy * fxc)
                inner = a * b - c * c
                if not inner > 0:
                    ratio2 = -1.0
                    break
                table[row, 0], table[row, 1], table[row, 2] = y, x, energy
                table[row, 3], table[row, 4] = math.sqrt(b / inner), math.sqrt(a / inner)
                # Energy's own error, and what it owes to the place not being known.
                ty, tx = energy * fyc / ff, energy * fxc / ff
                owed = (ty * ty * b - 2 * ty * tx * c + tx * tx * a) / inner
                table[row, 5] = math.sqrt(1 / ff + owed)
                table[row, 6], table[row, 7], table[row, 8] = math.sqrt(now), ss - now, used
                damping *= 0.3
                if moved < _STILL and moved > 0 and gained < 1e-3:
                    break
            else:
                damping *= 8.0
            da, db = a * (1 + damping), b * (1 + damping)
            inner = da * db - c * c
            step_y = (db * down_y - c * down_x) / inner
            step_x = (da * down_x - c * down_y) / inner
            if max(abs(step_y), abs(step_x)) < _STILL:
                break
            y = best_y + min(max(step_y, -0.5), 0.5)
            x = best_x + min(max(step_x, -0.5), 0.5)
            if max(abs(y - py), abs(x - px)) > _FARTHEST:
                break
        if ratio2 < 0:
            table[row, :] = np.nan
    return table
