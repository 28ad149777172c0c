"""A dict served over HTTP by dranspose's own code, as its reducer does."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import uvicorn
from dranspose.helpers.h5dict import router
from fastapi import FastAPI
from support.client_side import closed_port
from support.device_server import serving
from support.waiting import PATIENCE, wait_for


@contextmanager
def device_of(tree: dict[str, Any], folder: Path) -> Iterator[str]:
    """Run a device that reads a tree and has no controller, and give its address."""
    with published(tree) as reducer, closed_port() as nowhere:
        properties = {"ControllerUrl": nowhere, "ReducerUrl": reducer}
        with serving(folder / "memory.txt", properties) as address:
            yield address


@contextmanager
def published(tree: dict[str, Any]) -> Iterator[str]:
    """Serve a tree, which may be changed meanwhile, and give the address."""
    app = FastAPI()
    app.include_router(router)
    app.state.get_data = lambda: (tree, nullcontext())
    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_for(lambda: server.started or not thread.is_alive(), "the server has started")
    assert server.started
    try:
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
