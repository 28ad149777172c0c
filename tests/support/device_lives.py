"""A device server that can be restarted in every way, with a property file or a database."""

import os
import subprocess
import sys
from contextlib import contextmanager

import pytest
import tango
from support.device_server import NAME, write_memory
from support.server_process import end, takes_requests
from support.waiting import wait_for

from femtotango.stack.ports import Ports
from tango_db.register import register

INSTANCE = "life"
GIVEN = "FEMTOTANGO_TEST_DATABASE"
"""Environment variable: host:port of a Tango database that may be written to."""


class Server:
    """A device server that can be restarted, and what a client sees of its device."""

    def __init__(self, command, environment, log, address, admin, memory=None):
        self._command, self._environment, self._log = command, environment, log
        self.address, self._admin, self._memory = address, admin, memory
        self.start()

    def start(self):
        with self._log.open("wb") as output:
            self.process = subprocess.Popen(
                self._command, env=self._environment, stdout=output, stderr=output
            )
        wait_for(
            lambda: self.process.poll() is not None or takes_requests(self._log),
            self._log.read_text,
        )
        self.device = tango.DeviceProxy(self.address)
        self.device.set_timeout_millis(20_000)
        self.admin = tango.DeviceProxy(self._admin)
        self.admin.set_timeout_millis(20_000)
        # A client that was refused is refused for a second more.
        wait_for(self.answers)

    def stop(self, kill=False):
        if kill:
            self.process.kill()
        end(self.process)

    # The ways

    def init(self):
        self.device.Init()

    def init_three_times(self):
        for _ in range(3):
            self.device.Init()

    def dev_restart(self):
        self.admin.command_inout("DevRestart", self.device.name())

    def restart_server(self):
        before = self.life()
        self.admin.command_inout("RestartServer")
        # The old life answers until Tango's thread has ended it.
        wait_for(lambda: self.life() > before)

    def start_anew(self):
        self.stop()
        self.start()

    def start_after_a_kill(self):
        self.stop(kill=True)
        self.start()

    def change_property(self, name, value):
        """Change a property, and begin a new life: a file is read at the server's start only."""
        if self._memory is None:
            self.device.put_property({name: [value]})
            self.init()
        else:
            self.stop()
            write_memory(self._memory, {name: value}, {})
            self.start()

    def kept(self, name):
        """Return what the database or the file holds of a property that the device writes."""
        if self._memory is None:
            return "".join(self.device.get_property(name)[name])
        lines = self._memory.read_text().splitlines()
        return next((line for line in lines if f"->{name}:" in line), "")

    def life(self):
        """Return when the life that answers began; 0: none does."""
        try:
            return self.device.read_attribute("MaxFilter").time.totime()
        except tango.DevFailed:
            return 0.0

    def answers(self):
        try:
            return self.device.ping() > 0
        except tango.DevFailed:
            return False


@contextmanager
def file_server(folder, properties):
    ports = Ports()
    memory = folder / "memory.txt"
    write_memory(memory, properties, {})
    port = ports.new()
    where = f"tango://127.0.0.1:{port}"
    server = Server(
        [
            *(sys.executable, "-m", "femtotango.device", "test", f"-file={memory}"),
            *("-ORBendPoint", f"giop:tcp:127.0.0.1:{port}"),
        ],
        None,
        folder / "device.log",
        f"{where}/{NAME}#dbase=no",
        f"{where}/dserver/FemtomaxAnalysis/test#dbase=no",
        memory,
    )
    try:
        yield server
    finally:
        server.stop()
        ports.close()


@contextmanager
def registered_server(folder, properties, host):
    register(INSTANCE, NAME, INSTANCE, properties, host)
    server = Server(
        [
            *(sys.executable, "-m", "femtotango.device", INSTANCE),
            *("-ORBendPoint", "giop:tcp:127.0.0.1:"),
        ],
        {**os.environ, "TANGO_HOST": host},
        folder / "device.log",
        f"tango://{host}/{NAME}",
        f"tango://{host}/dserver/FemtomaxAnalysis/{INSTANCE}",
    )
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def given_database_server(folder, properties):
    """Use a database that is running, the C++ one, say; the test enters a device there."""
    host = os.environ.get(GIVEN)
    if not host:
        pytest.skip(f"{GIVEN} names no Tango database.")
    with registered_server(folder, properties, host) as server:
        yield server


@contextmanager
def database_server(folder, properties):
    ports = Ports()
    host = f"127.0.0.1:{(port := ports.new())}"
    with (folder / "database.log").open("wb") as output:
        database = subprocess.Popen(
            [
                *(sys.executable, "-m", "databaseds.database"),
                *("--host", "127.0.0.1", "--port", str(port), "2"),
            ],
            env={**os.environ, "PYTANGO_DATABASE_NAME": str(folder / "tango.db")},
            stdout=output,
            stderr=output,
        )

    def answers():
        try:
            return tango.Database("127.0.0.1", port).get_info()
        except tango.DevFailed:
            return None

    try:
        wait_for(answers)
        with registered_server(folder, properties, host) as server:
            yield server
    finally:
        end(database)
        ports.close()
