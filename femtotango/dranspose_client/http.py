"""HTTP to one server of dranspose: every failure becomes an error that says which and why."""

from collections.abc import Mapping
from typing import Any

import httpx

from femtotango.errors import BadReply, TimedOut, Unreachable

SHORT = httpx.Timeout(2.0, connect=0.5)
"""For small answers: a part that hangs must not hold its thread for long."""
LONG = httpx.Timeout(15.0, connect=0.5)
"""For full images, and for a trigger map: the controller gives its services 10 s."""


def timeout_of(patience: float | None) -> httpx.Timeout:
    """Return the time-out for a patience [s]; None: as for any small answer."""
    return SHORT if patience is None else httpx.Timeout(patience)


class Http:
    """Client of one server; every failure becomes `Unreachable` or `BadReply`.

    Args:
        what: the server is, for messages.
        url: where it answers.
    """

    def __init__(self, what: str, url: str) -> None:
        self.what = what
        self.url = url.rstrip("/")
        self._stream: Any = None
        """Connection of the last answer."""
        self._client = httpx.Client(
            headers={"Accept-Encoding": "identity"},
            timeout=SHORT,
            trust_env=False,
            # Reading the certificates of all authorities takes 25 ms for each client.
            verify=self.url.startswith("https:"),
            # Shorter than the server's own limit, so that it never closes under a request.
            limits=httpx.Limits(keepalive_expiry=2.0),
        )

    @property
    def is_connected(self) -> bool:
        """False when the server has closed the connection of the last answer, or there is none."""
        return self._stream is not None and not self._stream.get_extra_info("is_readable")

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
            reply = self._client.request(
                method, self.url + path, params=params, content=content, json=json, timeout=timeout
            )
            self._stream = reply.extensions.get("network_stream")
            return reply
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
