"""Photon finding on full frames."""

import math
from collections.abc import Sequence

import numpy as np
from bench.matched_finding import MAX_COPIES, matched_row
from bench.photon_finding import photon_rows
from section import Section, markdown_table


def _middle(ratios: Sequence[float]) -> str:
    return "–".join(f"{limit:.1f}" for limit in np.percentile(ratios, [10, 90]))


def run() -> Section:
    """Measure photon finding in one thread: sums on full Balor frames, the filter on a Zyla's."""
    rows = photon_rows()
    head = [
        "photons per pixel",
        "photons",
        "`max` [ms]",
        "found in [ms]",
        "10–90 % of the rounds [×]",
        "with a dark level [ms] (10–90 %)",
        "scipy [ms]",
        "plain loop [ms]",
    ]
    cells = [
        [
            f"{row.photons_per_pixel:g}",
            row.photons,
            f"{row.max_ms:.2f}",
            f"{row.find_ms:.2f} ({row.ratio:.1f}×)",
            _middle(row.ratios),
            f"{row.level_ms:.2f} ({_middle(row.level_ratios)}×)",
            f"{row.scipy_ms:.0f} ({row.scipy_ms / row.find_ms:.0f}×)",
            f"{row.loop_ms:.0f} ({row.speedup:.0f}×)",
        ]
        for row in rows
    ]
    text = (
        "Full Balor frames, one thread, beside one pass of `numpy.max`, beside scipy's "
        "`maximum_filter` and `convolve` of the whole frame, and beside a plain Python loop over "
        "candidate pixels; the photons of all three are the same. With a dark level of each pixel, "
        "three times as many bytes are read. Up to 1e-4 photons per pixel the plain loop's time is "
        "mostly numpy's arithmetic on the whole frame, and the time to find them that of reading "
        "the frame once: there no speed-up is demanded.\n\n" + markdown_table(head, cells)
    )
    demands = [
        (
            f"{row.photons_per_pixel:g} photons per pixel: at most {row.ratio_limit:g}× one pass"
            + (f", at least {row.speedup_limit:g}× the loop" if row.speedup_limit else "")
            + f": {row.ratio:.2f}×",
            row.reached,
        )
        for row in rows
        if math.isfinite(row.ratio_limit)
    ]
    faint = matched_row()
    text += (
        f"\n\nThe matched filter, on a full Zyla frame with {faint.photons} photons close to the "
        f"noise ({faint.photons_per_pixel:g} per pixel): {faint.find_ms:.1f} ms, a copy of the "
        f"frame {faint.copy_ms:.2f} ms ({faint.copies:.1f}×; 10–90 % of the rounds "
        f"{_middle(faint.rounds)}×)."
    )
    what = f"matched filter: at most {MAX_COPIES:g}× a copy of the frame: {faint.copies:.1f}×"
    demands.append((what, faint.copies <= MAX_COPIES))
    figures = {f"photons, {row.photons_per_pixel:g} per pixel [passes]": row.ratio for row in rows}
    return Section("Photon finding", text, demands, figures)
