"""HTTP to one server of dranspose: every failure becomes an error that says which and why.

urllib3 reads a preview of 2 MB in a fifth of the processor time of httpx, which takes small pieces.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import BadStatusLine, IncompleteRead, RemoteDisconnected
from json import loads
from typing import Any
from urllib.parse import unquote_to_bytes, urlencode, urlsplit, urlunsplit

import urllib3
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, ProtocolError, ReadTimeoutError
from urllib3.util import make_headers

from femtotango.errors import BadReply, TimedOut, Unreachable

_CONNECT = 0.5
"""A server that is there takes a connection at once [s]."""
SHORT = urllib3.Timeout(connect=_CONNECT, read=2.0)
"""For small answers: a part that hangs must not hold its thread for long."""
LONG = urllib3.Timeout(connect=_CONNECT, read=15.0)
"""For full images, and for a trigger map: the controller gives its services 10 s."""
_KEPT = 2.0
"""Connections are kept for so long without an answer: shorter than the server keeps them, so that
it hardly ever closes one under a request [s]."""
_CONNECTIONS = 20
"""So many are kept."""


def timeout_of(patience: float | None) -> urllib3.Timeout:
    """Return the time-out for a patience [s]; None: as for any small answer."""
    return SHORT if patience is None else urllib3.Timeout(connect=patience, read=patience)


@dataclass(frozen=True)
class Reply:
    """An answer of whatever status."""

    request: str
    """What was asked, for messages."""
    status: int
    content: bytes

    @property
    def text(self) -> str:
        """The content, for messages."""
        return self.content.decode(errors="replace")


class Http:
    """Client of one server; every failure becomes `Unreachable` or `BadReply`.

    Args:
        what: the server is, for messages.
        url: where it answers.
    """

    def __init__(self, what: str, url: str) -> None:
        self.what = what
        self.url, name = _split(url.rstrip("/"))
        """Without name and password: it stands in messages."""
        self._name = unquote_to_bytes(name).decode("latin-1") or None
        self._pool = self._connections()
        self._newest: Any = None
        """Connection of the last answer."""
        self._answered = time.monotonic()
        """When it came [s]."""

    @property
    def is_connected(self) -> bool:
        """False when the server has closed the connection of the last answer, or there is none."""
        try:
            return self._newest is not None and self._newest.is_connected
        except ValueError:  # another thread has closed it just now
            return False

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def _ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        json: Mapping[str, Any] | None = None,
        timeout: urllib3.Timeout = SHORT,
        repeat: bool = True,
    ) -> Reply:
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
        if time.monotonic() - self._answered > _KEPT:
            # Another thread may just take one of the old ones: they go when nobody has them.
            self._pool = self._connections()
        while True:
            try:
                return self._request(method, path, params or {}, content, json, timeout)
            except ProtocolError as error:
                if not repeat or _is_late(error):
                    raise self._unreachable(error) from error
                repeat = False
            except HTTPError as error:
                raise self._unreachable(error) from error

    def _request(
        self,
        method: str,
        path: str,
        params: Mapping[str, str],
        content: bytes | None,
        json: Mapping[str, Any] | None,
        timeout: urllib3.Timeout,
    ) -> Reply:
        query = "?" + urlencode(params) if params else ""
        answer = self._pool.request(
            method,
            self.url + path + query,
            body=content,
            json=json,
            timeout=timeout,
            retries=False,
            redirect=False,
            preload_content=False,
        )
        connection = answer.connection
        content = answer.data
        self._newest, self._answered = connection, time.monotonic()
        return Reply(f"{method} {path[:80]}", answer.status, content)

    def _connections(self) -> urllib3.PoolManager:
        headers = make_headers(basic_auth=self._name)
        headers["Accept-Encoding"] = "identity"
        pool = urllib3.PoolManager(num_pools=1, maxsize=_CONNECTIONS, headers=headers)
        pool.pool_classes_by_scheme = {**pool.pool_classes_by_scheme, "http": _Pool}
        return pool

    def _unreachable(self, error: HTTPError) -> Unreachable:
        kind = TimedOut if _is_late(error) else Unreachable
        return kind(
            f"The {self.what} at {self.url} does not answer ({_why(error)}); is it running?"
        )

    def _checked(self, reply: Reply) -> bytes:
        """Return the content of an answer that is no error.

        Raises:
            BadReply: any status but 2xx.
        """
        if 200 <= reply.status < 300:
            return reply.content
        raise BadReply(
            f"The {self.what} at {self.url} answered {reply.status} to {reply.request}: "
            f"{reply.text[:200]}"
        )

    def _json(self, reply: Reply) -> Any:
        """Return the content of an answer in JSON.

        Raises:
            BadReply: the answer is an error, or no JSON.
        """
        try:
            return loads(self._checked(reply))
        except ValueError as error:
            raise BadReply(
                f"The {self.what} at {self.url} answered {reply.request} with something that is "
                f"not JSON: {reply.text[:80]!r}"
            ) from error


class _Connection(HTTPConnection):
    """Sends a large trigger map with the patience of its answer.

    urllib3 gives a body no more time than the connection, which a busy controller exceeds.
    """

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is None:
            self.connect()
        self.timeout = LONG.read_timeout
        super().request(*args, **kwargs)


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection  # pyright: ignore[reportAssignmentType]


def _split(url: str) -> tuple[str, str]:
    """Return an address, and of that what stands before the ``@``."""
    try:
        parts = urlsplit(url)
    except ValueError:  # the first request says what is wrong with it
        return url, ""
    name, _, place = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=place)), name


def _is_late(error: HTTPError) -> bool:
    late = isinstance(error, ReadTimeoutError) or isinstance(error.__context__, TimeoutError)
    return late and not isinstance(error, ConnectTimeoutError)


def _why(error: HTTPError) -> str:
    """Return what went wrong, without urllib3's names of its own objects."""
    within = [error.__cause__, *error.args]
    cause = next((one for one in within if isinstance(one, Exception)), error)
    if isinstance(error, ReadTimeoutError) or isinstance(cause, TimeoutError):
        return "timed out"
    if isinstance(cause, IncompleteRead):
        return "it closed the connection within its answer"
    if isinstance(cause, BadStatusLine) and not isinstance(cause, RemoteDisconnected):
        return f"what answers there speaks no HTTP, but {str(cause).strip()[:40]}"
    return str(cause) or type(cause).__name__
