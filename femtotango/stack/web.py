"""Runs an HTTP server of dranspose.

uvicorn's own command puts the working folder first in the search for modules; its function does
not.
"""

import argparse

import uvicorn

_END_LIMIT = 2
"""How long open connections may go on when the server is told to end [s]."""


def main() -> None:
    """Serve ``module:app`` until the process is ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("app")
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    uvicorn.run(
        options.app,
        host=options.host,
        port=options.port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=_END_LIMIT,
    )
