"""Ports that nothing else uses."""

import socket
from pathlib import Path

import psutil
import pytest

from femtotango.stack.errors import PortError
from femtotango.stack.ports import IngesterPorts, Ports, is_free, outward_address


@pytest.fixture
def listener():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


@pytest.fixture
def ports():
    with Ports() as ports:
        yield ports


def test_new_ports_are_free_and_differ(ports):
    chosen = [ports.new() for _ in range(50)]
    assert len(set(chosen)) == 50
    assert all(is_free(port) for port in chosen)


def test_new_ports_are_not_those_of_outgoing_connections(ports):
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert all(ports.new() < first for _ in range(20))


def test_the_outward_address_is_one_of_ours():
    ours = [a.address for found in psutil.net_if_addrs().values() for a in found]
    assert outward_address() in ours
    foreign = [a for a in ours if "." in a and not a.startswith("127.")]
    assert not foreign or not outward_address().startswith("127.")


def test_an_address_that_this_machine_does_not_have_is_named(ports):
    ports.check_address("0.0.0.0")
    with pytest.raises(PortError, match=r"bind = '203.0.113.9': this machine has no such address"):
        ports.check_address("203.0.113.9")


def test_two_stacks_share_no_port(ports):
    with Ports() as others:
        ours = {ports.new() for _ in range(300)}
        theirs = {others.new() for _ in range(300)}
    assert not ours & theirs


def test_a_port_in_use_is_named(ports, listener):
    with pytest.raises(PortError, match=rf"Port {listener} \(for Redis\) is in use"):
        ports.fixed(listener, "Redis")
    assert not is_free(listener)


def test_a_free_port_is_taken_as_asked(ports):
    port = ports.new()
    ports.close()
    assert ports.fixed(port, "Redis") == port


def test_a_port_that_was_given_back_can_be_had_by_others(ports):
    port = ports.new()
    with Ports() as others:
        assert not others._reserve(port)
        ports.give_back(port)
        ports.give_back(port)
        assert others._reserve(port)


def test_recoveries_without_end_keep_no_port(ports):
    """A stack of five ingesters, restarted 300 times: no more open files than after the second."""
    this = psutil.Process()
    ingester_ports = IngesterPorts(ports)
    names = [f"ingester{number}" for number in range(5)]

    def restart() -> list[int]:
        return [ingester_ports.new(name) for name in names]

    before, running = restart(), restart()
    open_files = this.num_fds()
    for _ in range(300):
        before, running = running, restart()
        assert len({*before, *running}) == 10
        assert this.num_fds() == open_files
    with Ports() as others:
        assert not [port for port in (*before, *running) if others._reserve(port)]
