"""What follows from a view."""

from dataclasses import replace

import pytest

from femtotango.component.results_poller import Observation
from femtotango.component.state import View
from pipeline.model.parameters import Settings
from pipeline.protocols.snapshot import NOTHING


@pytest.mark.parametrize(
    ("allowed", "output", "raw", "folders"),
    [
        ((), "", "/data/raw/a.h5", ()),
        ((), "/out", "", ("/out",)),
        ((), "/out", "/data/raw/a.h5", ("/out", "/data/raw")),
        ((), "/out", "/a.h5", ("/out",)),
        ((), "/out", "a.h5", ("/out",)),
        (("/x", "/y"), "/out", "/data/raw/a.h5", ("/x", "/y")),
    ],
)
def test_files_stay_in_the_output_folder_and_that_of_the_raw_data(allowed, output, raw, folders):
    view = View(
        settings=Settings(output_folder=output),
        results=Observation(snapshot=replace(NOTHING, scan=replace(NOTHING.scan, filename=raw))),
        allowed_folders=allowed,
    )
    assert view.file_folders == folders
