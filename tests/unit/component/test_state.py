"""What follows from a view."""

from dataclasses import replace

import pytest

from femtotango.component.results_poller import Observation
from femtotango.component.state import View, is_news
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


def test_the_time_of_a_poll_is_no_news():
    view = View()
    polled = replace(view, results=replace(view.results, polled=9.0))
    asked = replace(view, pipeline=replace(view.pipeline, time=9.0))
    assert not is_news(view, polled)
    assert not is_news(view, asked)


def test_results_and_errors_are_news():
    view = View()
    fetched = replace(view.results, snapshot=replace(NOTHING, revision=1))
    assert is_news(view, replace(view, results=fetched))
    assert is_news(view, replace(view, results=replace(view.results, error="away")))
    assert is_news(view, replace(view, settings=Settings(output_folder="/out")))
