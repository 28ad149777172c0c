"""Everything that clients can see at one moment, frozen."""

from dataclasses import dataclass, field, replace
from pathlib import PurePath

from femtotango.component.peak_fitter import NO_ROI
from femtotango.component.results_poller import Curves, Observation
from femtotango.component.roi_slots import EMPTY
from femtotango.component.scan_progress import Scan
from femtotango.dranspose_client.services import Config
from pipeline.frames.peak_fit import PeakFit
from pipeline.model.cameras import ranked
from pipeline.model.parameters import Settings
from pipeline.protocols.snapshot import NOTHING, CameraImage, Published

_NO_IMAGE = CameraImage()


@dataclass(frozen=True)
class Pipeline:
    """What the controller says."""

    config: Config | None = None
    """The newest that is known."""
    error: str | None = "The controller was not asked yet."
    """Why it cannot be reached; None: it can."""
    waiting: str = ""
    """Why settings are not in force yet."""
    replay: bool = False
    """There is no controller of live services behind it."""
    time: float = 0.0
    """When it answered last, epoch [s]."""


@dataclass(frozen=True)
class View:
    """The requested settings, the results, the pipeline and the scan together."""

    settings: Settings = field(default_factory=Settings)
    results: Observation = field(default_factory=Observation)
    pipeline: Pipeline = field(default_factory=Pipeline)
    scan: Scan = field(default_factory=Scan)
    slots: tuple[str, ...] = EMPTY
    """ROI in each of the eight slots."""
    fit: PeakFit = NO_ROI
    """Of the curve of FitRoi."""
    max_filter: bool = False
    given_up: int = 0
    """Frames that were outstanding when scans were stopped."""
    scan_error: str = ""
    """What went wrong in starting and stopping scans last."""
    last_error: str = ""
    """The newest error, of scans or results."""
    save_raw: bool | None = None
    """The Balor's SaveRaw; None: not known."""
    save_raw_alarm: str = ""
    unsafe_frames: str = ""
    """Frames with neither raw data nor durable photons, not acknowledged yet."""
    save_raw_note: str = ""
    """Why the Balor cannot be asked, where nothing is lost by it."""
    configuration_errors: tuple[str, ...] = ()
    """Properties that cannot work."""
    allowed_folders: tuple[str, ...] = ()
    """Where Save and Load commands stay, as the property says; none: see `file_folders`."""

    @property
    def snapshot(self) -> Published:
        """The published values."""
        return self.results.snapshot

    @property
    def current(self) -> bool:
        """True when the results belong to the newest scan."""
        return self.scan.mapping in ("", self.results.mapping)

    @property
    def of_this_scan(self) -> Published:
        """The published values, or none while they belong to the scan before."""
        return self.snapshot if self.current else NOTHING

    def image(self, stream: str = "") -> CameraImage:
        """Return what is published of a camera's image; empty stream: of the one that is shown."""
        return image_in(self.snapshot, stream)

    @property
    def cameras(self) -> tuple[str, ...]:
        """The cameras of this scan, the one that stands for the scan first."""
        return ranked((*self.scan.cameras, *self.of_this_scan.scan.cameras))

    @property
    def shown_camera(self) -> str:
        """The camera whose image and curves the plain attributes show; empty: not known yet."""
        shown = self.snapshot.shown.detector or self.settings.camera
        return shown or next(iter(self.cameras), "")

    @property
    def geometry_camera(self) -> str:
        """The camera that the geometry belongs to; empty: not known yet."""
        camera = self.settings.geometry_camera or self.snapshot.geometry.camera or ""
        return camera or next(iter(self.cameras), "") or self.shown_camera

    @property
    def curves(self) -> Curves:
        """The curves of this scan; empty while they belong to the scan before."""
        curves = self.results.curves
        return curves if self.scan.mapping in ("", curves.mapping) else Curves()

    @property
    def file_folders(self) -> tuple[str, ...]:
        """Folders that Save and Load commands may use; none: nothing was set, so all."""
        output = self.settings.output_folder
        if self.allowed_folders or not output:
            return self.allowed_folders
        files = [self.snapshot.scan.filename]
        files += [camera.scan_filename for camera in (self.snapshot.cameras or {}).values()]
        folders = [PurePath(file or "").parent for file in files]
        # A raw file in the root would allow everything.
        raw = [str(folder) for folder in folders if folder.is_absolute() and folder.name]
        return tuple(dict.fromkeys((output, *raw)))

    @property
    def roi_names(self) -> tuple[str, ...]:
        """All ROIs; the order of everything per ROI."""
        return tuple(self.settings.roi_map)

    @property
    def failed_frames(self) -> int:
        """Frames that could not be used or never came."""
        return self.results.failed_frames + self.given_up


def is_news(before: View, after: View) -> bool:
    """Say whether a view shows anything else than the one before, but for the time of the polls."""
    old, new = before.results, after.results
    if old.snapshot is not new.snapshot or old.curves is not new.curves:
        return True
    return _timeless(before) != _timeless(after)


def _timeless(view: View) -> View:
    results, pipeline = replace(view.results, polled=0.0), replace(view.pipeline, time=0.0)
    return replace(view, results=results, pipeline=pipeline)


def image_in(snapshot: Published, stream: str = "") -> CameraImage:
    """Return what is published of a camera's image; empty stream: of the one that is shown."""
    cameras, shown = snapshot.cameras or {}, snapshot.shown
    if stream:
        return cameras.get(stream, _NO_IMAGE)
    return cameras.get(shown.detector or "", shown)
