"""A dict served over HTTP by dranspose's own code, as its reducer does."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import uvicorn
from dranspose.helpers.h5dict import router
from fastapi import FastAPI


@contextmanager
def published(tree: dict[str, Any]) -> Iterator[str]:
    """Serve a tree, which may be changed meanwhile, and give the address."""
    app = FastAPI()
    app.include_router(router)
    app.state.get_data = lambda: (tree, nullcontext())
    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10.0
    while not server.started:
        assert thread.is_alive() and time.monotonic() < deadline
        time.sleep(0.01)
    try:
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10.0)
