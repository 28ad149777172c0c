"""Settings from JSON, files and what the pipeline wrote."""

import json

import pytest
from support import post

from pipeline.files.nexus_image import ImageRecord, save_image
from pipeline.model.parameters import Settings
from pipeline.photons.list_layout import empty_file
from pipeline.postprocessing.errors import BadSettings
from pipeline.postprocessing.settings_source import read_settings, with_poni

WANTED = post.settings(post.BALOR)


def test_json_on_the_command_line():
    text = '{"background": 99, "PhotonRoi": {"x": 1, "y": 2, "width": 3, "height": 4}}'
    found = read_settings(text)
    assert found.background == 99.0
    assert found.photon_region is not None and found.photon_region.width == 3
    assert found.cmos_threshold == Settings().cmos_threshold


def test_files(tmp_path):
    path = tmp_path / "settings.json"
    path.write_text(json.dumps(WANTED.values()))
    assert read_settings(str(path)) == WANTED
    rows = [{"name": name, "data": data.decode()} for name, data in WANTED.to_bytes().items()]
    rows.append({"name": "dump_prefix", "data": ""})
    path.write_text(json.dumps(rows))
    assert read_settings(str(path)) == WANTED


def test_parameters_of_the_earlier_pipeline(tmp_path):
    path = tmp_path / "settings.json"
    rows = [("cmos_background", "98"), ("threshold_counting", "108"), ("integrate", "True")]
    path.write_text(json.dumps([{"name": name, "data": data} for name, data in rows]))
    found = read_settings(str(path))
    assert (found.background, found.photon_threshold, found.accumulate) == (98, 10, True)


def test_a_photon_file_and_a_saved_sum(tmp_path):
    path = tmp_path / "a_xye.h5"
    empty_file(tmp_path, "/data/raw/a.h5", post.BALOR, WANTED)(path)
    assert read_settings(str(path)) == WANTED
    image = post.frames(post.ZYLA, 1)[0]
    record = ImageRecord(image, None, 1, "ADU", post.ZYLA, None, (), WANTED)
    save_image(tmp_path / "sum.h5", record)
    assert read_settings(str(tmp_path / "sum.h5")) == WANTED


@pytest.mark.parametrize(
    "text, said",
    [
        ('{"backgrund": 1}', "did you mean background"),
        ('{"background": -1}', "expected 0 … 65535"),
        ('{"background": "high"}', "expected a number"),
        ('{"photon_roi": {"x": 1}}', "PhotonRoi"),
        ("{", "expected a JSON object"),
        ("[1]", "name"),
        ('[{"name": "backgrund", "data": "1"}]', "did you mean background"),
        ("nothing.json", "no such file"),
    ],
)
def test_what_cannot_be_used_is_told(text, said):
    with pytest.raises(BadSettings, match=said):
        read_settings(text)


def test_a_raw_file_has_no_settings(tmp_path):
    path = post.raw_file(tmp_path / "a.h5", post.BALOR, post.frames(post.BALOR, 1))
    with pytest.raises(BadSettings, match="has no settings"):
        read_settings(str(path))


def test_poni(tmp_path):
    from pipeline.diffraction.geometry import from_settings
    from pipeline.model.cameras import CAMERAS

    geometry = from_settings(WANTED, CAMERAS[post.PILATUS].pixel_size, post.SHAPE)
    assert geometry is not None
    path = tmp_path / "a.poni"
    path.write_text(geometry.to_poni())
    found = with_poni(Settings(), path, post.PILATUS, post.SHAPE)
    assert found.distance == pytest.approx(WANTED.distance)
    assert found.beam_x == pytest.approx(WANTED.beam_x)
    with pytest.raises(BadSettings, match=r"none\.poni"):
        with_poni(Settings(), tmp_path / "none.poni", post.PILATUS, post.SHAPE)
