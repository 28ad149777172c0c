"""What went wrong, counted and named."""

from dataclasses import dataclass


@dataclass
class Health:
    """Counted, never silent."""

    frames: int = 0
    failed_frames: int = 0
    discarded_frames: int = 0
    """Frames that the camera marked as ones that are not saved."""
    late_messages: int = 0
    """Messages of a series that began in an earlier trigger map: they are in no sum."""
    last_error: str = ""
    last_frame_time: float | None = None
    """Epoch [s] at which the newest frame was taken in."""

    def fail(self, error: str, frames: int = 0) -> None:
        """Note an error and how many frames it cost."""
        self.failed_frames += frames
        self.last_error = error
