"""A question for whose answer nobody waits long, however long the one who is asked takes."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor


class Question:
    """Asks in a thread of its own; a question that has no answer yet is not asked again."""

    def __init__(self, ask: Callable[[], bool]) -> None:
        """Take what asks; its thread begins with the first question.

        Args:
            ask: returns whether there was an answer.
        """
        self._ask = ask
        self._executor = ThreadPoolExecutor(1, "question")
        self._asked: Future[bool] | None = None

    def is_answered(self, patience: float) -> bool:
        """Tell whether there is an answer in time.

        Args:
            patience: how long to wait [s].
        """
        if self._asked is None or self._asked.done():
            self._asked = self._executor.submit(self._ask)
        try:
            return self._asked.result(patience)
        except TimeoutError:
            return False

    def close(self) -> None:
        """Ask nothing more."""
        self._executor.shutdown(wait=False, cancel_futures=True)
