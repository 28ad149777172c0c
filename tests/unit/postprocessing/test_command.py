"""What a request means: its series, and the settings of each."""

from pathlib import Path

from support import post

from pipeline.diffraction.geometry import from_settings
from pipeline.model.cameras import CAMERAS
from pipeline.postprocessing.command import Request, hint, settings_of, sources

WANTED = post.settings(post.PILATUS)


def two_cameras(folder: Path) -> tuple[Path, Path]:
    return (
        post.raw_file(folder / "a.h5", post.PILATUS, post.frames(post.PILATUS, 2)),
        post.raw_file(folder / "b.h5", post.BALOR, post.frames(post.BALOR, 2)),
    )


def test_a_poni_file_belongs_to_one_camera(tmp_path):
    raw = two_cameras(tmp_path)
    geometry = from_settings(WANTED, CAMERAS[post.BALOR].pixel_size, post.SHAPE)
    assert geometry is not None
    poni = tmp_path / "a.poni"
    poni.write_text(geometry.to_poni())
    request = Request(raw, poni=poni)
    pilatus, balor = settings_of(request, sources(request))
    # The Balor stands for a scan with both.
    assert pilatus.geometry_camera == balor.geometry_camera == post.BALOR
    assert balor.distance and not pilatus.distance


def test_a_geometry_that_is_nobodys_is_that_of_the_first_camera(tmp_path):
    raw = two_cameras(tmp_path)
    both = Request(raw, settings='{"distance": 0.1}')
    assert {s.geometry_camera for s in settings_of(both, sources(both))} == {post.BALOR}
    one = Request(raw[:1], settings='{"distance": 0.1}')
    assert [s.geometry_camera for s in settings_of(one, sources(one))] == [""]


def test_who_forgets_the_photon_roi_is_told():
    assert "photon_roi" in hint(WANTED, post.BALOR)
    assert not hint(WANTED, post.PILATUS)
    assert not hint(post.settings(post.BALOR), post.BALOR)
