"""The commands that make up a stack, and the addresses where they answer."""

import json
from dataclasses import asdict
from pathlib import Path

from femtotango.dranspose_client.addresses import Addresses
from femtotango.stack.command import Command
from femtotango.stack.config import StackConfig
from femtotango.stack.environment import FRAME_ENVIRONMENT
from femtotango.stack.launch import LOOPBACK, NEEDS
from femtotango.stack.ports import ALL_INTERFACES, outward_address
from femtotango.stack.redis_server import redis_program
from femtotango.stack.stack_ports import StackPorts
from pipeline.files.journal_file import FOLDER_VARIABLE
from pipeline.protocols.sardana import SARDANA
from tango_db.register import CLASS, template

INSTANCE = template().instance
REDIS = "redis"
CONTROLLER = "controller"
REDUCER = "reducer"
DATABASE = "tango-database"
DEVICE = "device"
JOURNAL_PROPERTY = "JournalFolder"
IMPORTED = (
    "databaseds.database",
    "dranspose.cli",
    "dranspose.controller",
    "dranspose.ingesters.http_sardana",
    "femtotango.device",
    "femtotango.stack.web",
    "pipeline.reducer.femtomax_reducer",
    "pipeline.worker.femtomax_worker",
    "uvicorn.lifespan.on",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.auto",
)
"""Modules that the parts begin with, and import late."""


def ingester_name(stream: str) -> str:
    """Return the name of the process that takes in a stream."""
    return f"{stream}-ingester"


class Services:
    """Builds the commands of one stack."""

    def __init__(
        self, config: StackConfig, ports: StackPorts, state: Path, keep_journal: bool = False
    ) -> None:
        """Take what the commands depend on.

        Args:
            config: what to run.
            ports: that were chosen.
            state: folder of the Tango database.
            keep_journal: the reducer keeps a journal in it, unless the configuration says where.
        """
        self.config = config
        self.ports = ports
        self._state = state
        self._journal = str((state / "journal").absolute()) if keep_journal else ""
        everywhere = config.bind == ALL_INTERFACES
        reachable = outward_address() if everywhere else config.bind
        self.addresses = self._web_addresses(LOOPBACK if everywhere else config.bind)
        self._addresses_for_others = self._web_addresses(reachable)
        self.tango_host = f"{reachable}:{ports.tango}" if config.database else ""
        where = f"{reachable}:{ports.tango}/{config.device}"
        suffix = "" if config.database else "#dbase=no"
        self.device_address = f"tango://{where}{suffix}" if config.device else ""
        self.environment = {
            **FRAME_ENVIRONMENT,
            "REDIS_URL": f"redis://{LOOPBACK}:{ports.redis}/0",
            "LOG_LEVEL": config.log_level,
        }

    def _web_addresses(self, host: str) -> Addresses:
        ports = self.ports
        return Addresses(
            controller=f"http://{host}:{ports.controller}",
            reducer=f"http://{host}:{ports.reducer}",
            sardana=f"http://{host}:{ports.sardana}" if self.config.sardana else "",
        )

    @property
    def worker_names(self) -> list[str]:
        """Names of the worker processes, which dranspose knows them by too."""
        return [f"worker{number}" for number in range(1, self.config.workers + 1)]

    @property
    def ingester_names(self) -> list[str]:
        """Names of the ingester processes."""
        streams = [*self.config.streams, *([SARDANA] if self.config.sardana else [])]
        return [ingester_name(stream) for stream in streams]

    @property
    def kinds(self) -> dict[str, str]:
        """What dranspose calls the processes that handle frames, by their names."""
        return {
            **dict.fromkeys(self.worker_names, "worker"),
            **dict.fromkeys(self.ingester_names, "ingester"),
        }

    def ready_info(self) -> dict[str, object]:
        """Return what clients need to know, as the ready file has it."""
        return {
            "device": self.device_address,
            "tango_host": self.tango_host,
            **asdict(self._addresses_for_others),
            "streams": dict(self.ports.streams),
        }

    @property
    def properties(self) -> dict[str, str]:
        """Tango properties of the device."""
        journal = {JOURNAL_PROPERTY: self._journal}
        return {**self.addresses.properties, **journal, **self.config.properties}

    def redis(self) -> Command:
        """Redis without persistence."""
        port = str(self.ports.redis)
        options = ("--port", port, "--bind", LOOPBACK, "--save", "", "--appendonly", "no")
        return Command(REDIS, redis_program(), options)

    def controller(self) -> Command:
        """dranspose's controller; its own command is fixed to port 5000."""
        return self._web(CONTROLLER, "dranspose.controller:app", self.ports.controller)

    def reducer(self) -> Command:
        """dranspose's reducer."""
        return self._web(
            REDUCER,
            "dranspose.reducer:app",
            self.ports.reducer,
            REDUCER_URL=f"tcp://localhost:{self.ports.reducer_zmq}",
            REDUCER_CLASS=self.config.reducer_class,
            **{
                NEEDS: self.config.reducer_class,
                FOLDER_VARIABLE: self.properties[JOURNAL_PROPERTY],
            },
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
                self.ports.sardana,
                INGESTER_URL=url,
                INGESTER_STREAMS=json.dumps([stream]),
            )
        source = self.ports.streams[stream]
        arguments = ("ingester", "-c", "ZmqPullSingleIngester", "-n", stream, "-u", source)
        return self._python(name, "dranspose.cli:run", arguments, INGESTER_URL=url)

    def replay(self, arguments: tuple[str, ...]) -> Command:
        """dranspose's replay of recorded streams, instead of everything else."""
        needs = {NEEDS: self.config.worker_class}
        return self._python("replay", "femtotango.commands.replay_app:main", arguments, **needs)

    def database(self) -> Command:
        """The embedded Tango database."""
        port = str(self.ports.tango)
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
            endpoint = f"giop:tcp:{self.config.bind}:{self.ports.tango}"
            store = f"-file={self.property_file}"
            options = (INSTANCE, store, "-ORBendPoint", endpoint)
            environment = {}
        target = f"{CLASS}=femtotango.device:main"
        return Command(DEVICE, target, options, {**FRAME_ENVIRONMENT, **environment})

    @property
    def property_file(self) -> Path:
        """File that keeps the device's properties when there is no database."""
        return self._state / "properties.txt"

    def _web(self, name: str, app: str, port: int, **environment: str) -> Command:
        arguments = (app, "--host", self.config.bind, "--port", str(port))
        return self._python(name, "femtotango.stack.web:main", arguments, **environment)

    def _python(
        self, name: str, target: str, arguments: tuple[str, ...], **environment: str
    ) -> Command:
        return Command(name, target, arguments, {**self.environment, **environment})
