"""Photons close to the noise and corrected positions, through all of post-processing."""

import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.spatial import KDTree
from support import post
from support.faint import FaintCamera, faint_camera
from support.photons import read_columns

from pipeline.model.parameters import Settings
from pipeline.photons.calibration import calibrate
from pipeline.photons.calibration_file import read_calibration, write_calibration
from pipeline.photons.detection import find_photons_with
from pipeline.photons.matched import MatchedFilter
from pipeline.postprocessing.command import Request, settings_of
from pipeline.postprocessing.errors import BadOutput, BadSettings, Stopped
from pipeline.postprocessing.eta_list import read_eta
from pipeline.postprocessing.matched_run import MatchedOptions, completed
from pipeline.postprocessing.photon_list import PhotonListFile
from pipeline.postprocessing.pool import Pool
from pipeline.postprocessing.raw_file import read_series
from pipeline.postprocessing.run import Run
from pipeline.postprocessing.source import RawSource
from pipeline.postprocessing.verify import Verdict, find_series, verify
from pipeline.simulation.balor import stream_balor_frames

CLOUD, ENERGY = 0.7, 90.0
MATCHED = MatchedOptions("matched")
FIT = ("snr", "y_error", "x_error", "energy_error", "chi_square")


@pytest.fixture(scope="module")
def faint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with 40 frames of faint photons on a Zyla, and a calibration."""
    rng = np.random.default_rng(61)
    whole = faint_camera(rng, post.SHAPE[1], 2.0)
    ny = post.SHAPE[0]
    camera = FaintCamera(whole.offset[:ny], whole.noise[:ny])
    images = []
    for _ in range(40):
        y, x = camera.places(rng, 1e-3)
        images.append(camera.frame(rng, y, x, ENERGY, CLOUD))
    folder = tmp_path_factory.mktemp("faint")
    post.raw_file(folder / "raw" / "scan.h5", post.ZYLA, images)
    known = calibrate(camera.frame(rng) for _ in range(100))
    write_calibration(folder / "calibration.h5", known)
    return folder


def images_of(raw: Path) -> list[np.ndarray]:
    with h5py.File(raw) as file:
        return list(file[f"entry/instrument/{post.ZYLA}/data"][()])


def request(folder: Path, options: MatchedOptions = MATCHED) -> tuple[RawSource, Settings]:
    raw = folder / "raw" / "scan.h5"
    source = RawSource(read_series(raw)[0], block=7)
    (found,) = settings_of(Request([raw], photons=options), [source])
    return source, found


def run(source: RawSource, settings: Settings, output: Path, eta: bool = False) -> Run:
    output.mkdir(exist_ok=True)
    said: list[str] = []
    return Run(source, settings, output, lambda s: completed(s, source, output, said.append), eta)


def verified(path: str, pool: Pool) -> Verdict:
    with closing(PhotonListFile(Path(path))) as file:
        return verify(file, find_series(file, None), pool)


def test_the_list_has_what_the_filter_finds_with_errors(faint, pool, tmp_path):
    options = replace(MATCHED, calibration=faint / "calibration.h5", cloud=CLOUD)
    source, settings = request(faint, options)
    outcome = run(source, settings, tmp_path / "out").process(pool)
    found = read_columns(outcome.outputs.photons)
    matched = MatchedFilter(read_calibration(faint / "calibration.h5"), CLOUD, 1.0)
    wanted = [matched.find(image) for image in images_of(faint / "raw" / "scan.h5")]
    for name in ("y", "x", "energy", *FIT):
        column = np.concatenate([getattr(photons, name) for photons in wanted])
        np.testing.assert_array_equal(found[name], column, err_msg=name)
    assert outcome.photons == len(found["snr"]) > 350
    assert outcome.failed == outcome.skipped == 0
    with h5py.File(outcome.outputs.results) as file:
        assert file["entry/image/image"][()].sum() == outcome.photons
        axis = file["entry/energy_histogram/energy"][()]
        assert 100 < axis[-1] < 300
        assert file["entry/energy_histogram/counts"][()].sum() > 0.9 * outcome.photons
    verdict = verified(outcome.outputs.photons, pool)
    assert verdict.same, (verdict.problems, verdict.details)
    assert verdict.photons == outcome.photons
    with h5py.File(outcome.outputs.photons, "r+") as file:
        file["entry/photons/snr"][5] *= 1.01
    assert "has snr" in verified(outcome.outputs.photons, pool).details[0]


def test_workers_and_reducer_give_the_same_live(faint, pool, tmp_path):
    raw = faint / "raw" / "scan.h5"
    options = replace(MATCHED, calibration=faint / "calibration.h5", cloud=CLOUD)
    source, settings = request(faint, options)
    settings = settings.replaced("photon_roi", '{"x": 20, "y": 9, "width": 80, "height": 70}')
    settings = settings.replaced("rois", post.ROIS)
    for name, value in post.GEOMETRY.items():
        settings = settings.replaced(name, value)
    process = run(source, settings, tmp_path)
    outcome = process.process(pool)
    values = {**completed(settings, source, tmp_path, str).values(), "accumulate": True}
    live = post.live(raw, post.ZYLA, images_of(raw), changes={0: values})
    post.processed(outcome).assert_same(live)
    found = read_columns(outcome.outputs.photons)
    assert (np.floor(found["y"] + 0.5) >= 9).all() and (np.floor(found["x"] + 0.5) < 100).all()
    whole = MatchedFilter(read_calibration(faint / "calibration.h5"), CLOUD, 1.0)
    inside = [
        np.count_nonzero((hits.y >= 8.5) & (hits.y < 78.5) & (hits.x >= 19.5) & (hits.x < 99.5))
        for hits in map(whole.find, images_of(raw))
    ]
    # The threshold is that of fewer pixels.
    assert sum(inside) <= len(found["y"]) <= 1.1 * sum(inside) + 5


def test_calibration_and_cloud_come_from_the_frames_and_stay_when_interrupted(
    faint, pool, tmp_path
):
    source, settings = request(faint)
    whole = run(source, settings, tmp_path / "whole").process(pool)
    made = tmp_path / "whole" / "scan_calibration.h5"
    assert read_calibration(made).frames >= 25
    with closing(PhotonListFile(Path(whole.outputs.photons))) as file:
        used = file.settings.matched
    assert used is not None and used.calibration == str(made)
    assert used.cloud == pytest.approx(CLOUD, abs=0.06)
    stop = threading.Event()
    output = tmp_path / "cut"
    with Pool(1, stop) as cut, pytest.raises(Stopped):
        run(source, settings, output).process(cut, progress=lambda done: stop.set())
    with pytest.raises(BadOutput, match="--resume"):
        run(source, settings, output).process(pool)
    with pytest.raises(BadOutput, match="matched_filter"):
        other = request(faint, replace(MATCHED, cloud=1.0))[1]
        run(source, other, output).process(pool, resume=True)
    again = run(source, settings, output).process(pool, resume=True)
    assert [path.name for path in output.glob("*calibration*")] == ["scan_calibration.h5"]
    before, after = read_columns(whole.outputs.photons), read_columns(again.outputs.photons)
    assert len(before["snr"]) > 300
    for name, column in before.items():
        np.testing.assert_array_equal(after[name], column, err_msg=name)


def test_masked_pixels_are_no_photons(faint):
    options = replace(MATCHED, calibration=faint / "calibration.h5", cloud=CLOUD)
    settings = request(faint, options)[1]
    (roi, image) = settings.photon_region, images_of(faint / "raw" / "scan.h5")[0].copy()
    assert roi is not None
    image[40:43, 50:53] += 60
    level = np.full(image.shape, 100, np.float32)
    level[40:43, 50:53] = np.inf
    masked = settings.replaced("mask", '{"andor3_zyla10": {"file": "/mask.h5"}}')
    for one, plane, there in ((settings, None, True), (masked, level, False)):
        found = find_photons_with(one, image, roi, plane).photons
        near = (abs(found.y - 41) < 2) & (abs(found.x - 51) < 2)
        assert near.any() == there
        assert len(found) > 5


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (MatchedOptions("sums", cloud=0.7), "--cloud is of no use with --method sums"),
        (MatchedOptions(None, false_per_frame=1.0), "--false-per-frame belongs to --method match"),
        (MatchedOptions("matched", cloud=9.0), "cloud = 9"),
        (MatchedOptions("matched", false_per_frame=-1.0), "false_per_frame = -1"),
        (MatchedOptions("matched", calibration=Path("none.h5")), "no such file"),
    ],
)
def test_options_that_cannot_be_used(options, said, faint):
    with pytest.raises(BadSettings, match=said):
        request(faint, options)


def test_a_calibration_of_another_shape_or_too_few_frames(faint, tmp_path):
    other = tmp_path / "other.h5"
    write_calibration(other, calibrate([np.eye(8) + i for i in range(25)]))
    with pytest.raises(BadSettings, match=r"shape \(8, 8\)"):
        request(faint, replace(MATCHED, calibration=other))
    post.raw_file(tmp_path / "raw" / "scan.h5", post.ZYLA, post.frames(post.ZYLA, 3))
    source, settings = request(tmp_path)
    with pytest.raises(BadSettings, match="--calibration"):
        completed(settings, source, tmp_path, str)


def test_settings_choose_the_method(faint, tmp_path):
    source, settings = request(faint)
    assert settings.photon_streams == {post.ZYLA}
    assert settings.energy_threshold == settings.view_threshold == 0
    assert request(faint, MatchedOptions())[1] == Settings()
    (again,) = settings_of(Request([], settings=_file(tmp_path, settings)), [source])
    assert again == settings
    plain = Request([], settings=_file(tmp_path, settings), photons=MatchedOptions("sums"))
    assert next(settings_of(plain, [source])).matched is None


def _file(folder: Path, settings: Settings) -> str:
    path = folder / "settings.h5"
    with h5py.File(path, "w") as file:
        for name, value in settings.values().items():
            file[f"entry/settings/{name}"] = value
    return str(path)


def test_positions_corrected_within_the_pixel(pool, tmp_path):
    rng = np.random.default_rng(62)
    source = stream_balor_frames(rng, (512, 512), 1e-3, hot_pixels=0)
    simulated = [next(source) for _ in range(30)]
    raw = post.raw_file(tmp_path / "raw" / "scan.h5", post.BALOR, [one[0] for one in simulated])
    region = '{"x": 0, "y": 0, "width": 512, "height": 512}'
    settings = Settings().replaced("photon_roi", region).replaced("hot_pixel_ratio", 0.95)
    (series,) = read_series(raw)
    plain = run(RawSource(series), settings, tmp_path / "plain").process(pool)
    outcome = run(RawSource(series), settings, tmp_path / "eta", eta=True).process(pool)
    before, after = read_columns(plain.outputs.photons), read_columns(outcome.outputs.photons)
    for axis in ("y", "x"):
        np.testing.assert_array_equal(after[f"{axis}_plain"], before[axis])
        off = {name: [] for name in (axis, f"{axis}_plain")}
        for number, (_, truth) in enumerate(simulated):
            places = np.stack([truth.y, truth.x], 1)
            use = after["frame"] == number
            found = np.stack([after["y_plain"][use], after["x_plain"][use]], 1)
            distance, which = KDTree(places).query(found)
            alone = KDTree(places).query(places, k=2)[0][:, 1][which] > 6
            good = alone & (distance < 1)
            for name, values in off.items():
                values += list((after[name][use] - getattr(truth, axis)[which])[good])
        assert len(off[axis]) > 5000
        assert np.std(off[f"{axis}_plain"]) > 0.025
        assert np.std(off[axis]) <= 0.020
    for name in ("energy", "flags", "frame"):
        np.testing.assert_array_equal(after[name], before[name])
    eta = read_eta(Path(outcome.outputs.photons))
    assert eta is not None
    for one in eta.axes.values():
        # Of other photons than those that were learned from: 2 is perfect.
        assert one.after.chi_square < 3.5
        assert one.before.chi_square > 1.7 * one.after.chi_square
    assert "χ² per bin" in outcome.eta and plain.eta == ""
    assert verified(outcome.outputs.photons, pool).same
    with h5py.File(outcome.outputs.photons, "r+") as file:
        file["entry/photons/y"][7] += 0.01
    (problem,) = verified(outcome.outputs.photons, pool).problems
    assert problem == "y is not the eta correction of y_plain"


def test_too_few_photons_to_correct_and_a_corrected_list_that_is_continued(pool, tmp_path):
    raw = post.raw_file(tmp_path / "raw" / "scan.h5", post.BALOR, post.frames(post.BALOR, 4))
    (series,) = read_series(raw)
    settings = post.settings(post.BALOR)
    outcome = run(RawSource(series), settings, tmp_path / "few", eta=True).process(pool)
    assert "too few" in outcome.eta
    assert "y_plain" not in read_columns(outcome.outputs.photons)
    # Killed between the correction and the end of the run.
    source = stream_balor_frames(np.random.default_rng(63), (512, 512), 1e-3, hot_pixels=0)
    images = [next(source)[0] for _ in range(12)]
    raw = post.raw_file(tmp_path / "raw" / "many.h5", post.BALOR, images)
    region = '{"x": 0, "y": 0, "width": 512, "height": 512}'
    settings = settings.replaced("photon_roi", region)
    (series,) = read_series(raw)

    def fail(*_: object) -> None:
        raise BadOutput("no space")

    first = run(RawSource(series), settings, tmp_path / "eta", eta=True)
    with pytest.raises(BadOutput, match="no space"):
        first.process(pool, report=fail)
    corrected = read_columns(tmp_path / "eta" / "many_xye.h5")
    with pytest.raises(BadOutput, match="eta = True"):
        run(RawSource(series), settings, tmp_path / "eta").process(pool, resume=True)
    again = run(RawSource(series), settings, tmp_path / "eta", eta=True)
    outcome = again.process(pool, resume=True)
    for name, column in read_columns(outcome.outputs.photons).items():
        np.testing.assert_array_equal(column, corrected[name], err_msg=name)
    assert "y_plain" in corrected and "χ² per bin" in outcome.eta
