"""The processes of a stack, and what the command line of each has."""

SIGNS = {
    "redis": "redis-server",
    "Tango database": "databaseds",
    "controller": "dranspose.controller",
    "reducer": "dranspose.reducer",
    "device": "femtotango.device",
    "Sardana ingester": "http_sardana",
    "camera ingester": " ingester ",
    "fork server": "fork_server:main",
}
"""By part; workers, and ingesters of one camera, are told by ``-n`` and their name."""


def sign_of(name: str) -> str:
    """Return what the command line of a worker or of a camera's ingester has."""
    return f"-n {name}"
