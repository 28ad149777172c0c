"""Files of the geometry stay where they may be."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from femtotango.component.geometry_commands import load_poni, save_poni
from femtotango.component.results_poller import Observation
from femtotango.component.state import View
from femtotango.errors import BadPath
from pipeline.model.parameters import Settings
from pipeline.protocols.snapshot import NOTHING


def test_poni_files_stay_in_the_output_folder_and_beside_the_raw_data(tmp_path: Path) -> None:
    folders = {name: tmp_path / name for name in ("output", "raw", "other")}
    for folder in folders.values():
        folder.mkdir()
    (folders["output"] / "link").symlink_to(folders["other"])
    shown = replace(
        NOTHING.shown, image_shape=np.array([20, 30]), pixel_size=np.array([1e-4, 1e-4])
    )
    scan = replace(NOTHING.scan, filename=str(folders["raw"] / "a.h5"))
    view = View(
        settings=Settings(photon_energy=12.0, distance=0.25, output_folder=str(folders["output"])),
        results=Observation(snapshot=replace(NOTHING, shown=shown, scan=scan)),
    )
    for path in ("a.poni", str(folders["raw"] / "a.poni")):
        assert load_poni(view, str(save_poni(view, path)))["distance"] == 0.25
    outside = folders["other"] / "a.poni"
    for path in (outside, folders["output"] / "link" / "a.poni"):
        with pytest.raises(BadPath, match=r"none of the folders .*output, .*raw.*AllowedFolders"):
            save_poni(view, str(path))
    save_poni(replace(view, allowed_folders=(str(tmp_path),)), str(outside))
    with pytest.raises(BadPath, match="AllowedFolders"):
        load_poni(view, str(outside))
