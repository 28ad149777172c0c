"""What a restarted controller has is nobody's request, also where it is slow to say it."""

import itertools

import pytest

from femtotango.component.settings_sync import SettingsSync
from femtotango.dranspose_client.services import Config
from femtotango.errors import NotReady, PipelineError
from pipeline.model.parameters import PARAMETERS, PULSE


class RestartedController:
    """Has defaults in a new version each life, and breaks off one answer.

    A real one does so when its machine is busy, which no test can time.
    """

    def __init__(self) -> None:
        self.life = 0
        self.broken = -1
        self._asked = itertools.count()
        self._data: dict[str, bytes] = {}
        self._lives: dict[str, int] = {}
        self.restart()

    def restart(self, broken: int = -1) -> None:
        self.life += 1
        self.broken = broken
        self._asked = itertools.count()
        self._data = {name: p.encode(p.default) for name, p in PARAMETERS.items()}
        self._lives = dict.fromkeys(PARAMETERS, 0)

    def config(self) -> Config:
        versions = {name: f"{self.life}.{n}" for name, n in self._lives.items()}
        return Config((), (), None, "", versions)

    def parameter(self, name: str) -> bytes:
        if next(self._asked) == self.broken:
            raise PipelineError("no answer in time")
        return self._data[name]

    def set_parameter(self, name: str, data: bytes, patience: float = 0) -> str:
        self._data[name] = data
        self._lives[name] = self._lives.get(name, -1) + 1
        return "hash"


@pytest.mark.parametrize("broken", [0, 1, 5, len(PARAMETERS) - 1])
def test_a_pass_that_is_broken_off_takes_no_default_for_a_request(broken):
    controller = RestartedController()
    sync = SettingsSync(controller)  # type: ignore[arg-type]
    sync.poll()
    wanted = {"background": 66.5, "cmos_threshold": 3.5, "view_threshold": 1000.0}
    for name, value in wanted.items():
        sync.request(name, value)
    sync.poll()
    controller.restart(broken)
    with pytest.raises(PipelineError):
        sync.poll()
    sync.poll()
    for name, value in wanted.items():
        assert sync.flow[name].requested == value
        assert PARAMETERS[name].decode(controller.parameter(name)) == value


def test_a_restarted_controller_gets_a_pulse_as_the_services_have_one():
    controller = RestartedController()
    sync = SettingsSync(controller)  # type: ignore[arg-type]
    sync.poll()
    sync.pulse(b"7", 1.0)
    controller.restart()
    with pytest.raises(NotReady):  # it has no services
        sync.ready(0.0)
    assert PULSE in controller.config().parameters_version
