"""HTTP to dranspose's controller, to the reducer and to the Sardana ingester."""

import base64
import re
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

from femtotango.dranspose_client.services import Config, Progress, read_config
from femtotango.dranspose_client.trigger_maps import TriggerMap
from femtotango.errors import BadReply, TimedOut, Unreachable

SHORT = httpx.Timeout(2.0, connect=0.5)
"""For small answers: a part that hangs must not hold its thread for long."""
LONG = httpx.Timeout(15.0, connect=0.5)
"""For full images, and for a trigger map: the controller gives its services 10 s."""


class _Http:
    """One server; every failure becomes `Unreachable` or `BadReply`."""

    def __init__(self, what: str, url: str) -> None:
        self.what = what
        self.url = url.rstrip("/")
        self._client = httpx.Client(
            headers={"Accept-Encoding": "identity"},
            timeout=SHORT,
            trust_env=False,
            # Shorter than the server's own limit, so that it never closes under a request.
            limits=httpx.Limits(keepalive_expiry=2.0),
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def ask(self, method: str, path: str, *, repeat: bool = True, **more: Any) -> httpx.Response:
        """Send one request.

        Args:
            method: of HTTP.
            path: below the server's address.
            repeat: once more when the server drops the connection, as it does after an error of
                its own: twice must be as good as once.
            **more: for httpx.

        Raises:
            Unreachable: no connection, or (TimedOut) no answer in time.
            BadReply: any status but 2xx.
        """
        try:
            reply = self._client.request(method, self.url + path, **more)
        except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError) as error:
            if repeat:
                return self.ask(method, path, repeat=False, **more)
            raise self._silent(error) from error
        except httpx.ReadTimeout as error:
            raise self._silent(error, TimedOut) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._silent(error) from error
        if reply.is_error:
            raise BadReply(
                f"The {self.what} at {self.url} answered {reply.status_code} to {method} "
                f"{path[:80]}: {reply.text[:200]}"
            )
        return reply

    def _silent(self, error: Exception, kind: type[Unreachable] = Unreachable) -> Unreachable:
        return kind(
            f"The {self.what} at {self.url} does not answer "
            f"({str(error) or type(error).__name__}); is it running?"
        )

    def json(self, method: str, path: str, **more: Any) -> Any:
        """Send one request and read the JSON answer."""
        reply = self.ask(method, path, **more)
        try:
            return reply.json()
        except ValueError as error:
            raise BadReply(
                f"The {self.what} at {self.url} answered {path[:80]} with no JSON: "
                f"{reply.text[:80]!r}"
            ) from error


class Controller(_Http):
    """dranspose's controller."""

    def __init__(self, url: str) -> None:
        super().__init__("controller", url)

    def config(self) -> Config:
        """Return the pipeline's parts and the versions of the parameters."""
        raw = self.json("GET", "/api/v1/config")
        try:
            return read_config(raw)
        except (KeyError, TypeError, AttributeError) as error:
            raise BadReply(
                f"The controller at {self.url} gives no configuration ({error!r}); "
                "is it dranspose 0.2?"
            ) from error

    def progress(self) -> Progress:
        """Return how far the events of the trigger map are."""
        raw = self.json("GET", "/api/v1/progress")
        try:
            return Progress(
                int(raw["last_assigned"]),
                int(raw["completed_events"]),
                int(raw["total_events"]),
                bool(raw["finished"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BadReply(f"The controller at {self.url} gives no progress: {raw!r}") from error

    def parameter(self, name: str) -> bytes | None:
        """Return a parameter's bytes; None when the controller does not have it."""
        try:
            return self.ask("GET", f"/api/v1/parameter/{name}").content
        except BadReply as error:
            if " 404 " in str(error):
                return None
            raise

    def set_parameter(self, name: str, data: bytes) -> str:
        """Set a parameter and return the hash that all services have to show then."""
        return str(self.json("POST", f"/api/v1/parameter/{name}", content=data))

    def set_sequence(self, trigger_map: TriggerMap) -> str:
        """Start a trigger map and return its uuid; takes about half a second."""
        return str(
            self.json(
                "POST",
                "/api/v1/sequence",
                params={"all_wrap": trigger_map.wrap},
                json={"parts": trigger_map.parts, "sequence": trigger_map.sequence},
                timeout=LONG,
                repeat=False,
            )
        )

    def stop(self) -> None:
        """Ask dranspose to end the scan."""
        self.ask("POST", "/api/v1/stop")


_BASE = re.compile(r"H5T_(IEEE|STD)_([FIU])(\d+)(LE|BE)")


class Reducer(_Http):
    """The reducer's published tree."""

    def __init__(self, url: str) -> None:
        super().__init__("reducer", url)

    @staticmethod
    def _dataset(path: str) -> str:
        return "/datasets/d-h5dict-" + base64.b16encode(f"/{path}".encode()).decode()

    def scalar(self, path: str) -> Any:
        """Return a published int, float or text."""
        raw = self.json("GET", self._dataset(path) + "/value")
        try:
            return raw["value"]
        except (KeyError, TypeError) as error:
            raise BadReply(f"The reducer at {self.url} publishes no scalar {path}.") from error

    def data(self, path: str) -> bytes:
        """Return the bytes of a published array."""
        return self.ask("GET", self._dataset(path) + "/value", timeout=LONG).content

    def shape_and_type(self, path: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
        """Return shape and dtype of a published array."""
        raw = self.json("GET", self._dataset(path))
        try:
            match = _BASE.fullmatch(raw["type"]["base"])
            if match is None:
                raise BadReply(f"{path} has the type {raw['type']['base']}.")
            order = "<" if match[4] == "LE" else ">"
            dtype = np.dtype(f"{order}{match[2].lower()}{int(match[3]) // 8}")
            return tuple(int(n) for n in raw["shape"]["dims"]), dtype
        except (KeyError, TypeError, ValueError) as error:
            raise BadReply(f"The reducer at {self.url} publishes no array {path}.") from error

    def array(
        self, path: str, region: tuple[slice, slice] | None = None, tries: int = 3
    ) -> NDArray[Any]:
        """Return a published array, or a rectangle of a 2-D one.

        Args:
            path: as published, ``image``.
            region: ``(y, x)`` slices with explicit bounds inside of the array.
            tries: shape and bytes come in two requests; that many times they may not fit.
        """
        for _ in range(tries):
            shape, dtype = self.shape_and_type(path)
            select: dict[str, Any] = {}
            if region is not None:
                bounds = ",".join(f"{s.start}:{s.stop}" for s in region)
                select = {"params": {"select": f"[{bounds}]"}}
                shape = tuple(s.stop - s.start for s in region)
            content = self.ask(
                "GET", self._dataset(path) + "/value", timeout=LONG, **select
            ).content
            if len(content) == int(np.prod(shape, dtype=np.int64)) * dtype.itemsize:
                return np.frombuffer(content, dtype).reshape(shape)
        raise BadReply(f"The reducer at {self.url} changed the shape of {path} all the time.")


class SardanaIngester(_Http):
    """dranspose's HTTP ingester for Sardana's records."""

    def __init__(self, url: str) -> None:
        super().__init__("Sardana ingester", url)

    def describe(self, title: str) -> None:
        """Send a description that starts no scan; workers know it by its title."""
        message = {"serialno": 0, "scandir": "", "title": title}
        self.ask("POST", "/v1/data_desc", json=message, repeat=False)
