"""Azimuthal integration beside pyFAI alone, and the time that rings take."""

import numpy as np
from bench.integration import RATIO_LIMIT, RINGS_LIMIT_MS, azimuthal_rows, rings_rows
from section import Section, markdown_table


def run() -> Section:
    """Measure; the functions check their results against pyFAI."""
    curves, rings = azimuthal_rows(), rings_rows()
    theirs = ["pyFAI set-up", "pyFAI per image", "its engine", "ratio", "10–90 %"]
    head = ["detector", "unit", "set-up", "per image", *theirs]
    table = markdown_table(
        head,
        [
            [
                row.detector,
                row.unit,
                f"{row.set_up_ms:.0f}",
                f"{row.image_ms:.1f}",
                f"{row.pyfai_set_up_ms:.0f}",
                f"{row.pyfai_image_ms:.1f}",
                row.engine,
                f"{row.ratio:.2f}",
                "–".join(f"{limit:.2f}" for limit in np.percentile(row.ratios, [10, 90])),
            ]
            for row in curves
        ],
    )
    drawn = markdown_table(
        ["tilt [°]", "points", "20 rings"],
        [[f"{row.tilt:g}", row.points, f"{row.draw_ms:.1f}"] for row in rings],
    )
    text = (
        "Times in ms, 1000 bins, 9 % of the pixels masked; pyFAI with the fastest of its compiled "
        "engines here, without pixel splitting. The set-up is needed after a change of geometry, "
        "bins or region, not of the mask.\n\n"
        f"{table}\n\nRings over a whole Pilatus, each point within 0.05 pixel of pyFAI's q:\n\n"
        f"{drawn}"
    )
    return Section(
        "Azimuthal integration and rings",
        text,
        [
            (
                f"an integration takes at most {RATIO_LIMIT:g} times as long as pyFAI alone: "
                f"{max(row.ratio for row in curves):.2f}",
                all(row.reached for row in curves),
            ),
            (
                f"twenty rings take at most {RINGS_LIMIT_MS:g} ms",
                all(row.reached for row in rings),
            ),
        ],
        {f"azimuthal, {row.detector}, {row.unit} [of pyFAI]": row.ratio for row in curves},
    )
