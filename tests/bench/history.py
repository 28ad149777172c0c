"""What docs/performance.json keeps: the figures of each whole run, with commit and machine."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

KEPT = Path(__file__).parents[2] / "docs" / "performance.json"


def commit() -> str:
    """Return the commit that is measured; with a plus when files differ from it, but for docs."""
    newest = _git("rev-parse", "--short", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ":/", ":!/docs")
    return f"{newest}+" if changed else newest


def _git(*words: str) -> str:
    done = subprocess.run(
        ["git", *words], cwd=KEPT.parent, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def add_run(machine: Mapping[str, Any], figures: Mapping[str, float]) -> None:
    """Append one run.

    Args:
        machine: what it was measured on, and when.
        figures: by name.
    """
    runs = json.loads(KEPT.read_text()) if KEPT.exists() else []
    rounded = {name: float(f"{value:.4g}") for name, value in figures.items()}
    runs.append({"commit": commit(), **machine, "figures": rounded})
    KEPT.write_text(json.dumps(runs, indent=1) + "\n")
