"""Who wrote last wins, for each parameter, in any order of writes, posts, polls and restarts."""

import itertools
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from femtotango.component import setting_flow
from femtotango.component.setting_flow import ACCUMULATE, ACCUMULATION_ID, Flow
from femtotango.errors import BadValue
from pipeline.model.parameters import PARAMETERS

NAMES = ("background", "cmos_threshold", "histogram_bins")
DEFAULTS = {name: PARAMETERS[name].encode(PARAMETERS[name].default) for name in PARAMETERS}


@dataclass
class Beamline:
    """A controller whose configuration may be old, a device, another client, and who was last."""

    flow: Flow = field(default_factory=Flow)
    data: dict[str, bytes] = field(default_factory=lambda: dict(DEFAULTS))
    versions: dict[str, str] = field(default_factory=lambda: dict.fromkeys(PARAMETERS, "0"))
    shown: dict[str, str] = field(default_factory=lambda: dict.fromkeys(PARAMETERS, "0"))
    """The versions in the configuration that the controller gives out."""
    wanted: dict[str, bytes] = field(default_factory=lambda: dict(DEFAULTS))
    """What was written last, for each parameter."""
    clock: itertools.count = field(default_factory=lambda: itertools.count(1))

    def store(self, name, data):
        self.data[name] = data
        self.versions[name] = str(next(self.clock))

    def write(self, name, value):
        normal = setting_flow.check(name, value)
        self.flow = setting_flow.request(self.flow, name, normal, next(self.clock))
        self.wanted[name] = PARAMETERS[name].encode(normal)

    def post(self, name, value):
        """Post for another client; a write that still waits here is posted later, and wins."""
        data = PARAMETERS[name].encode(setting_flow.check(name, value))
        self.store(name, data)
        if not self.flow[name].waiting:
            self.wanted[name] = data

    def look(self, name, version, anew):
        now = next(self.clock)
        self.flow = setting_flow.found(self.flow, name, self.data.get(name), version, anew, now)

    def poll(self):
        anew = setting_flow.forgot(self.flow, self.shown)
        for name in setting_flow.unseen(self.flow, self.shown):
            self.look(name, self.shown.get(name), anew)
        self.flow = setting_flow.first_contact(self.flow, next(self.clock))

    def push(self, name):
        if not self.flow.met:
            self.poll()
        if self.flow[name].due:
            self.look(name, self.flow[name].version, False)
            setting = self.flow[name]
            if setting.at_controller != setting.data:
                self.store(name, setting.data)
                self.flow = setting_flow.posted(self.flow, name, setting.data)

    def refresh(self):
        """Let the controller's configuration show what it has now."""
        self.shown = dict(self.versions)

    def settle(self):
        for _ in range(3):
            self.refresh()
            self.poll()
            for name in self.flow.due:
                self.push(name)

    def restart(self, later):
        """Start the controller anew, with defaults; what nobody had looked at is lost with it."""
        self.settle()
        self.data, self.versions = {}, {}
        if later:
            self.refresh()
            self.poll()
        for name, data in DEFAULTS.items():
            self.store(name, data)
        self.refresh()


names = st.sampled_from(NAMES)
# The limits of all three parameters are kept.
values = st.integers(1, 4)
steps = st.one_of(
    st.tuples(st.just("write"), names, values),
    st.tuples(st.just("post"), names, values),
    st.tuples(st.just("push"), names),
    st.tuples(st.just("poll")),
    st.tuples(st.just("refresh")),
    st.tuples(st.just("restart"), st.booleans()),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(steps, max_size=25))
def test_who_wrote_last_wins(order):
    beamline = Beamline()
    beamline.settle()
    for step, *arguments in order:
        getattr(beamline, step)(*arguments)
    beamline.settle()
    for name in PARAMETERS:
        setting = beamline.flow[name]
        assert beamline.data[name] == beamline.wanted[name], name
        assert setting.data == beamline.data[name], name
        assert not setting.due


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(names, values), max_size=8), st.lists(st.tuples(names, values)))
def test_a_new_life_goes_on_where_the_one_before_ended(before, meanwhile):
    beamline = Beamline()
    beamline.settle()
    for name, value in before:
        beamline.write(name, value)
    beamline.settle()
    # Frozen: the next life begins with the same object.
    for name, value in meanwhile:
        beamline.post(name, value)
    beamline.settle()
    assert beamline.data == beamline.wanted


def test_another_controller_gets_all_that_is_in_force_here():
    beamline = Beamline()
    beamline.write("background", 7)
    beamline.settle()
    other = Beamline(setting_flow.elsewhere(beamline.flow))
    other.store("background", b"9.0")
    other.store("cmos_threshold", b"9.0")
    other.settle()
    assert other.data["background"] == b"7.0"
    assert other.data["cmos_threshold"] == b"12.0"


def test_what_is_remembered_wins_at_the_first_contact_and_the_rest_is_adopted():
    flow, refused = setting_flow.recalled({"background": "7", "rois": "{"}, 1.0)
    assert list(refused) == ["rois"]
    assert flow["background"].remembered == 7.0
    beamline = Beamline(flow)
    for name in ("background", "cmos_threshold"):
        beamline.store(name, b"9.0")
    beamline.settle()
    assert beamline.data["background"] == b"7.0"
    assert beamline.flow["cmos_threshold"].requested == 9.0
    assert setting_flow.untold(beamline.flow)["cmos_threshold"] == 9.0


def test_an_invalid_value_of_another_client_is_undone():
    beamline = Beamline()
    beamline.write("background", 7)
    beamline.settle()
    beamline.store("background", b"many")
    beamline.settle()
    assert beamline.data["background"] == b"7.0"


def test_a_sum_begins_where_accumulate_goes_on_and_its_number_never_goes_back():
    beamline = Beamline()
    beamline.settle()
    numbers = [beamline.flow[ACCUMULATION_ID].requested]
    beamline.write(ACCUMULATE, True)
    numbers.append(beamline.flow[ACCUMULATION_ID].requested)
    beamline.write(ACCUMULATE, True)
    assert beamline.flow[ACCUMULATION_ID].requested == numbers[-1], "it goes on already"
    beamline.settle()
    beamline.write(ACCUMULATE, False)
    beamline.settle()
    beamline.store(ACCUMULATE, b"True")
    beamline.settle()
    numbers.append(beamline.flow[ACCUMULATION_ID].requested)
    beamline.restart(later=False)
    beamline.settle()
    assert beamline.flow[ACCUMULATION_ID].requested == numbers[-1], "the sum goes on"
    assert int(beamline.data[ACCUMULATION_ID]) == numbers[-1]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize(("name", "value"), [("background", -1), ("rois", "β"), ("rois", "{")])
def test_what_cannot_be_used_is_refused(name, value):
    with pytest.raises(BadValue):
        setting_flow.check(name, value)


def test_what_commands_and_others_changed_is_told_once():
    beamline = Beamline()
    beamline.settle()
    assert setting_flow.untold(beamline.flow) == {}
    beamline.post("background", 3)
    beamline.settle()
    assert setting_flow.untold(beamline.flow) == {"background": 3.0}
    told = setting_flow.told(beamline.flow, {"background": 3.0})
    assert setting_flow.untold(told) == {}
    # A write between the look and the telling is told again.
    again = setting_flow.told(
        setting_flow.request(beamline.flow, "background", 4.0, 99.0), {"background": 3.0}
    )
    assert setting_flow.untold(again) == {"background": 4.0}
