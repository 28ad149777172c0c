"""What becomes of an unfinished scan when the next one is asked for."""

import threading
import time
from collections.abc import Callable

from femtotango.component.newest_scan import NewestScan
from femtotango.errors import Interrupted, ScanRunning

_FINISH = 10.0
"""How long a new scan waits for the one before, and then is refused [s]."""
_SILENT = 8.0
"""When nothing comes of the one before for so long, waiting is of no use [s]. When the new scan is
asked for again, and nothing has come meanwhile, the one before is given up."""
_ENDED = 2.0
"""One that has ended without being complete is waited for no longer, once it is silent so long
[s]: a last record may be late."""
_POLL = 0.05


class ScanBefore:
    """Waits for the scan before, refuses for it, or gives it up."""

    def __init__(
        self, newest: NewestScan, give_up: Callable[[str], None], closing: threading.Event
    ) -> None:
        """Keep the parts.

        Args:
            newest: the scan that is waited for.
            give_up: gives it up, and is told how it comes to its end, for the message.
            closing: set when nobody may wait any more.
        """
        self._newest = newest
        self._give_up = give_up
        self._closing = closing
        self._refused: tuple[object, ...] | None = None
        """What had come of the scan for which a new one was refused."""

    def wait_until_done(self, deadline: float) -> None:
        """Return once the newest scan is done, or was given up.

        Args:
            deadline: monotonic time after which the client has given up [s].

        Raises:
            ScanRunning: it is not done within 10 s, or continuous mode is running.
            Interrupted: the device ends.
        """
        asked = time.monotonic()
        deadline = min(deadline, asked + _FINISH)
        while not (scan := self._newest.scan).done:
            if scan.continuous and not scan.stopped:
                raise ScanRunning(
                    f"Continuous mode with {scan.camera_names} is running: call "
                    "StopContinuous first."
                )
            how = self._why_give_up()
            if how and not scan.stopped:
                self._give_up(how)
            elif time.monotonic() > deadline or self._waits_in_vain(asked):
                self._refused = self._newest.life
                raise ScanRunning(
                    f"Scan {scan.number} is not finished ({scan.progress}): wait, or call StopScan "
                    "to give up what is outstanding. When nothing has come for "
                    f"{_SILENT:g} s, PrepareScan called again gives it up by itself."
                )
            elif self._closing.wait(_POLL):
                raise Interrupted

    def _waits_in_vain(self, asked: float) -> bool:
        """Say whether nothing has come for long since the new scan was asked for."""
        silent = min(self._newest.silent, time.monotonic() - asked)
        return silent > _SILENT and not self._newest.scan.stopped

    def _why_give_up(self) -> str:
        silent = self._newest.silent
        if self._newest.in_vain and silent > _ENDED:
            return "given up for the next one, because it had ended without being complete"
        if self._refused == self._newest.life and silent > _SILENT:
            return f"given up for the next one, because nothing of it had come for {silent:.0f} s"
        return ""
