"""HTTP to dranspose's controller, to the reducer and to the Sardana ingester."""

import base64
import math
import re
from collections.abc import Mapping
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

from femtotango.dranspose_client.services import Config, Progress, read_config
from femtotango.dranspose_client.trigger_maps import TriggerMap
from femtotango.errors import BadReply, TimedOut, Unreachable
from pipeline.protocols.sardana import flush_description

SHORT = httpx.Timeout(2.0, connect=0.5)
"""For small answers: a part that hangs must not hold its thread for long."""
LONG = httpx.Timeout(15.0, connect=0.5)
"""For full images, and for a trigger map: the controller gives its services 10 s."""


def _timeout(patience: float | None) -> httpx.Timeout:
    return SHORT if patience is None else httpx.Timeout(patience)


Scalar = int | float | str
"""What the reducer publishes as a single value."""


class _Http:
    """Client of one server; every failure becomes `Unreachable` or `BadReply`.

    Args:
        what: the server is, for messages.
        url: where it answers.
    """

    def __init__(self, what: str, url: str) -> None:
        self.what = what
        self.url = url.rstrip("/")
        self._client = httpx.Client(
            headers={"Accept-Encoding": "identity"},
            timeout=SHORT,
            trust_env=False,
            # Reading the certificates of all authorities takes 25 ms for each client.
            verify=self.url.startswith("https:"),
            # Shorter than the server's own limit, so that it never closes under a request.
            limits=httpx.Limits(keepalive_expiry=2.0),
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | bool] | None = None,
        content: bytes | None = None,
        json: Mapping[str, Any] | None = None,
        timeout: httpx.Timeout = SHORT,
        repeat: bool = True,
    ) -> httpx.Response:
        """Send one request and return the answer, whatever its status.

        Args:
            method: of HTTP.
            path: below the server's address.
            params: of the query.
            content: body as bytes.
            json: body as JSON.
            timeout: for connection and answer.
            repeat: ask once more when the server drops the connection, as it does after an error
                of its own; for requests of which two do no more than one.

        Raises:
            Unreachable: no connection, or (TimedOut) no answer in time.
        """
        try:
            return self._client.request(
                method, self.url + path, params=params, content=content, json=json, timeout=timeout
            )
        except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError) as error:
            if not repeat:
                raise self._unreachable(error) from error
        except httpx.ReadTimeout as error:
            raise self._unreachable(error, TimedOut) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._unreachable(error) from error
        return self._ask(
            method,
            path,
            params=params,
            content=content,
            json=json,
            timeout=timeout,
            repeat=False,
        )

    def _unreachable(self, error: Exception, kind: type[Unreachable] = Unreachable) -> Unreachable:
        return kind(
            f"The {self.what} at {self.url} does not answer "
            f"({str(error) or type(error).__name__}); is it running?"
        )

    def _checked(self, reply: httpx.Response) -> httpx.Response:
        """Return the answer when it is no error.

        Raises:
            BadReply: any status but 2xx.
        """
        if reply.is_success:
            return reply
        request = reply.request
        raise BadReply(
            f"The {self.what} at {self.url} answered {reply.status_code} to {request.method} "
            f"{request.url.path[:80]}: {reply.text[:200]}"
        )

    def _json(self, reply: httpx.Response) -> Any:
        """Return the content of an answer in JSON.

        Raises:
            BadReply: the answer is an error, or no JSON.
        """
        try:
            return self._checked(reply).json()
        except ValueError as error:
            raise BadReply(
                f"The {self.what} at {self.url} answered {reply.request.url.path[:80]} with "
                f"something that is not JSON: {reply.text[:80]!r}"
            ) from error


class Controller(_Http):
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
        raw = self._json(self._ask("GET", "/api/v1/config", timeout=_timeout(patience)))
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
        if reply.status_code == httpx.codes.NOT_FOUND:
            return None
        return self._checked(reply).content

    def set_parameter(self, name: str, data: bytes, patience: float | None = None) -> str:
        """Set a parameter.

        Args:
            name: of the parameter.
            data: its value, as dranspose carries it.
            patience: how long the answer may take [s]; None: as for any small one.

        Returns:
            The hash of all parameters that every service shows once it has taken this one.
        """
        path, timeout = f"/api/v1/parameter/{name}", _timeout(patience)
        return str(self._json(self._ask("POST", path, content=data, timeout=timeout)))

    def set_sequence(self, trigger_map: TriggerMap) -> str:
        """Start a trigger map, which takes about half a second, and return its uuid."""
        reply = self._ask(
            "POST",
            "/api/v1/sequence",
            params={"all_wrap": trigger_map.wrap},
            json={"parts": trigger_map.parts, "sequence": trigger_map.sequence},
            timeout=LONG,
            repeat=False,
        )
        return str(self._json(reply))

    def stop(self) -> None:
        """Ask dranspose to end the scan."""
        self._checked(self._ask("POST", "/api/v1/stop"))


_BASE_TYPE = re.compile(r"H5T_(IEEE|STD)_([FIU])(\d+)(LE|BE)")


class Reducer(_Http):
    """The reducer's published tree.

    Every method raises `Unreachable` without an answer, and `BadReply` for one that is an error or
    makes no sense; what is not published is an error.
    """

    def __init__(self, url: str) -> None:
        super().__init__("reducer", url)

    def scalar(self, path: str) -> Scalar:
        """Return a published number or text.

        Args:
            path: as published, ``health/frames``.
        """
        raw = self._json(self._ask("GET", _dataset(path) + "/value"))
        value = raw.get("value") if isinstance(raw, dict) else None
        if not isinstance(value, Scalar):
            raise BadReply(f"The reducer at {self.url} publishes no scalar {path}.")
        return value

    def data(self, path: str, patience: float | None = None) -> bytes:
        """Return the bytes of a published array.

        Args:
            path: as published, ``snapshot``.
            patience: how long the answer may take [s]; None: as for a large one.
        """
        timeout = LONG if patience is None else _timeout(patience)
        return self._checked(self._ask("GET", _dataset(path) + "/value", timeout=timeout)).content

    def shape_and_type(self, path: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
        """Return shape and dtype of a published array."""
        raw = self._json(self._ask("GET", _dataset(path)))
        try:
            match = _BASE_TYPE.fullmatch(raw["type"]["base"])
            if match is None:
                raise BadReply(
                    f"The reducer at {self.url} publishes {path} as {raw['type']['base']}, which "
                    "is no type of an array of numbers."
                )
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
            tries: how often to ask: shape and bytes come in two requests, and the array may
                change between them.
        """
        for _ in range(tries):
            shape, dtype = self.shape_and_type(path)
            select: dict[str, str | bool] = {}
            if region is not None:
                bounds = ",".join(f"{s.start}:{s.stop}" for s in region)
                select["select"] = f"[{bounds}]"
                shape = tuple(s.stop - s.start for s in region)
            reply = self._ask("GET", _dataset(path) + "/value", params=select, timeout=LONG)
            content = self._checked(reply).content
            if len(content) == math.prod(shape) * dtype.itemsize:
                return np.frombuffer(content, dtype).reshape(shape)
        raise BadReply(f"The reducer at {self.url} changed the shape of {path} {tries} times.")


def _dataset(path: str) -> str:
    """Return the path of a published value in HDF5's REST interface."""
    return "/datasets/d-h5dict-" + base64.b16encode(f"/{path}".encode()).decode()


class SardanaIngester(_Http):
    """dranspose's HTTP ingester for Sardana's records.

    Every method raises `Unreachable` without an answer, and `BadReply` for an error.
    """

    def __init__(self, url: str) -> None:
        super().__init__("Sardana ingester", url)

    def ask_to_flush(self) -> None:
        """Send a description that starts no scan: the workers flush."""
        message = flush_description()
        self._checked(self._ask("POST", "/v1/data_desc", json=message, repeat=False))
