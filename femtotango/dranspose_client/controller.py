"""dranspose's controller: its services, the parameters, and trigger maps."""

from http import HTTPStatus

from femtotango.dranspose_client.http import LONG, Http, timeout_of
from femtotango.dranspose_client.services import Config, Progress, read_config
from femtotango.dranspose_client.trigger_maps import TriggerMap
from femtotango.errors import BadReply


class Controller(Http):
    """dranspose's controller.

    Every method raises `Unreachable` without an answer, and `BadReply` for one that is an error or
    makes no sense.
    """

    def __init__(self, url: str) -> None:
        super().__init__("controller", url)

    def config(self, patience: float | None = None) -> Config:
        """Return the pipeline's parts and the versions of the parameters.

        Args:
            patience: how long the answer may take [s]; None: as for any small one.
        """
        raw = self._json(self._ask("GET", "/api/v1/config", timeout=timeout_of(patience)))
        try:
            return read_config(raw)
        except (KeyError, TypeError, AttributeError) as error:
            raise BadReply(
                f"The controller at {self.url} gives no configuration ({error!r}); "
                "is it dranspose 0.2?"
            ) from error

    def progress(self) -> Progress:
        """Return how far the events of the trigger map are."""
        raw = self._json(self._ask("GET", "/api/v1/progress"))
        try:
            return Progress(
                last_assigned=int(raw["last_assigned"]),
                completed=int(raw["completed_events"]),
                total=int(raw["total_events"]),
                finished=bool(raw["finished"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BadReply(f"The controller at {self.url} gives no progress: {raw!r}") from error

    def parameter(self, name: str) -> bytes | None:
        """Return a parameter's bytes; None when the controller does not have it."""
        reply = self._ask("GET", f"/api/v1/parameter/{name}")
        if reply.status == HTTPStatus.NOT_FOUND:
            return None
        return self._checked(reply)

    def set_parameter(self, name: str, data: bytes, patience: float | None = None) -> str:
        """Set a parameter.

        Args:
            name: of the parameter.
            data: its value, as dranspose carries it.
            patience: how long the answer may take [s]; None: as for any small one.

        Returns:
            The hash of all parameters that every service shows once it has taken this one.
        """
        path, timeout = f"/api/v1/parameter/{name}", timeout_of(patience)
        return str(self._json(self._ask("POST", path, content=data, timeout=timeout)))

    def set_sequence(self, trigger_map: TriggerMap) -> str:
        """Start a trigger map, which takes about half a second, and return its uuid."""
        reply = self._ask(
            "POST",
            "/api/v1/sequence",
            params={"all_wrap": str(trigger_map.wrap).lower()},
            json={"parts": trigger_map.parts, "sequence": trigger_map.sequence},
            timeout=LONG,
            repeat=False,
        )
        return str(self._json(reply))

    def stop(self) -> None:
        """Ask dranspose to end the scan."""
        self._checked(self._ask("POST", "/api/v1/stop"))
