"""The services of a stack that is not started."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from femtotango.stack.config import StackConfig
from femtotango.stack.ports import Ports
from femtotango.stack.services import Services
from femtotango.stack.stack_ports import StackPorts


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Callable[..., Services]]:
    with Ports() as ports:

        def services(**settings) -> Services:
            config = StackConfig(**settings)
            return Services(config, StackPorts.choose(config, ports), tmp_path)

        yield services
