"""The attributes of the scan: cameras, frames, events, and whether it is finished."""

from femtotango.component import result_readers as readers
from femtotango.component.result_row import Result, Source
from pipeline.model.cameras import CAMERAS

SCAN_RESULTS: tuple[Result, ...] = (
    Result(
        "ScanNumber",
        int,
        "Counts the scans.",
        lambda view: view.scan.number,
        source=Source.DEVICE,
    ),
    Result(
        "ScanTitle",
        str,
        "Sardana's title of this scan.",
        readers.text(lambda p: p.scan.title, this_scan=True),
    ),
    Result(
        "Cameras",
        str,
        "Cameras of this scan; the first stands for the scan where Camera names none.",
        lambda view: list(view.cameras),
        source=Source.DEVICE,
        dims=(len(CAMERAS),),
    ),
    Result(
        "CameraFrames",
        int,
        "Frames of this scan whose results are in, good or failed, of each of Cameras.",
        readers.camera_frames,
        dims=(len(CAMERAS),),
        expert=True,
    ),
    Result(
        "ScanFrames",
        int,
        "Frames of this scan whose results are in, good or failed, of all cameras.",
        readers.count(lambda p: p.scan.processed, this_scan=True),
        expert=True,
    ),
    Result(
        "FramesPerPoint",
        int,
        "Of each camera, as PrepareScan was told; 0: the scan was not prepared here.",
        readers.frames_per_point,
        source=Source.DEVICE,
    ),
    Result(
        "EventsProcessed",
        int,
        "Events of this scan that are done, of EventsTotal.",
        readers.events(lambda progress: progress.completed),
        source=Source.CONTROLLER,
    ),
    Result(
        "EventsTotal",
        int,
        "Frames and records of this scan, and a start and an end event.",
        readers.events(lambda progress: progress.total),
        source=Source.CONTROLLER,
    ),
    Result(
        "ScanFinished",
        bool,
        "All results of the scan can be read.",
        lambda view: view.scan.done,
        source=Source.DEVICE,
    ),
)
