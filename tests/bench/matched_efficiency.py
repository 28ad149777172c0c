"""Print the table of docs/photons.md: how many faint photons are found, with other seeds.

PYTHONPATH=.:tests:tests/bench python -m bench.matched_efficiency [SEED …]
"""

import sys

import numpy as np
from section import markdown_table
from support.matched_quality import measure

_SIZE, _FRAMES = 1024, 40


def main(seeds: list[int]) -> None:
    """Measure each kind of frame with each seed."""
    head = ["photon [ADU]", "median noise [ADU]", "seed", "photons", "3×3 sums, offset map"]
    head += ["the same, noisy pixels masked", "matched", "position, rms [px]"]
    head += ["pulls of y, x, energy"]
    rows = []
    for energy, noise in ((60.0, 2.0), (40.0, 2.0), (60.0, 3.0)):
        for seed in seeds:
            found = measure(seed, energy, noise, _SIZE, _FRAMES, sums=True)
            methods = (found.sums, found.masked, found.matched)
            shares = [f"{hits.efficiency(found.photons):.3f}" for hits in methods]
            widths = ", ".join(f"{width:.2f}" for width in found.widths)
            row = [f"{energy:g}", f"{noise:g}", seed, found.photons, *shares]
            rows.append([*row, f"{np.std(found.off):.3f}", widths])
            print(*rows[-1], flush=True)
    print(markdown_table(head, rows))


if __name__ == "__main__":
    main([int(seed) for seed in sys.argv[1:]] or [101, 102])
