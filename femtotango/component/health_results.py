"""The attributes of how the pipeline does: frames, their rate, dark level, newest error."""

from femtotango.component import health
from femtotango.component import result_readers as readers
from femtotango.component.result_row import Result, Source
from femtotango.text_encoding import latin

HEALTH_RESULTS: tuple[Result, ...] = (
    Result(
        "FramesReceived",
        int,
        "Frames with results since the pipeline began, in whatever order; a difference counts.",
        readers.count(lambda p: p.health.frames),
        expert=True,
    ),
    Result(
        "FrameRate",
        float,
        "Frames per second, over two seconds.",
        lambda view: view.results.frame_rate,
        unit="Hz",
        source=Source.POLL,
    ),
    Result(
        "LastFrameAge",
        float,
        "Time since the newest frame, in whole seconds; from 10 s on in tens, from 100 s on in "
        "hundreds.",
        readers.age,
        unit="s",
        source=Source.POLL,
    ),
    Result(
        "FailedFrames",
        int,
        "Frames that could not be used, or never came before StopScan.",
        lambda view: view.failed_frames,
        alarm=health.fails_frames,
    ),
    Result(
        "LastError",
        str,
        "The newest error.",
        lambda view: latin(view.last_error),
        source=Source.DEVICE,
    ),
    Result(
        "DarkProgress",
        float,
        "Share of the frames of the dark level that TakeDark asked for last; 1: it is taken.",
        readers.dark_progress,
    ),
)
