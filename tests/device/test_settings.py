"""Settings on their way to a real controller and back."""

import time

import pytest
from support.client_side import closed_port
from support.device_server import device_server
from support.waiting import wait_for

from femtotango.component.component import Component
from femtotango.component.kept import Kept
from femtotango.component.setting_flow import recalled
from femtotango.component.settings_sync import SettingsSync
from femtotango.dranspose_client.addresses import Addresses
from femtotango.dranspose_client.controller import Controller
from femtotango.errors import BadValue, Unreachable
from pipeline.model.parameters import PARAMETERS


def remembered(**settings):
    flow, refused = recalled({name: str(value) for name, value in settings.items()}, time.time())
    assert not refused
    return flow


@pytest.fixture
def clean(controller):
    for name, parameter in PARAMETERS.items():
        if name != "accumulation_id":
            controller.set_parameter(name, parameter.encode(parameter.default))
    return controller


@pytest.fixture
def follow(pipeline, clean):
    running = []

    def start(**settings):
        addresses = Addresses(pipeline["controller"], pipeline["reducer"])
        kept = Kept(flow=remembered(**settings), controller=addresses.controller)
        component = Component(addresses, 5.0, kept=kept)
        component.start()
        running.append(component)
        wait_for(lambda: component.sync.delivered)
        return component

    yield start
    for component in running:
        component.close()


def value(controller, name):
    return PARAMETERS[name].decode(controller.parameter(name))


def test_settings_are_delivered_and_stay(follow, clean):
    component = follow(background=70.5, rois='{"a": {"x": 1, "y": 2, "width": 3, "height": 4}}')
    assert value(clean, "background") == 70.5
    assert "a" in value(clean, "rois")
    component.request("background", 71.5)
    wait_for(lambda: value(clean, "background") == 71.5)
    assert component.view.settings.background == 71.5


def test_a_refused_value_changes_nothing(follow, clean):
    component = follow(background=70.5)
    for name, wrong in (("background", -1), ("background", "x"), ("rois", "{"), ("rois", "β")):
        before = component.view.settings
        with pytest.raises(BadValue):
            component.request(name, wrong)
        assert component.view.settings == before


@pytest.mark.parametrize(
    ("name", "data", "wanted"),
    [
        ("background", b"33.25", 33.25),
        ("histogram_bins", b"17", 17),
        ("write_photons", b"false", False),
        (
            "rois",
            b'{"b": {"x": 1.6, "y": 2, "width": 3, "height": 4}}',
            '{"b": {"x": 2, "y": 2, "width": 3, "height": 4}}',
        ),
    ],
)
def test_a_valid_change_by_another_client_is_adopted(follow, clean, name, data, wanted):
    component = follow(background=70.5)
    clean.set_parameter(name, data)
    wait_for(lambda: getattr(component.view.settings, name) == wanted)
    assert value(clean, name) == wanted


def test_a_client_of_the_earlier_pipeline_is_understood(follow, clean):
    component = follow(background=90.0)
    wait_for(lambda: value(clean, "background") == 90.0)
    for old, data in (("threshold_counting", b"200"), ("integrate", b"True"), ("pileup", b"many")):
        clean.set_parameter(old, data)
    wait_for(lambda: value(clean, "photon_threshold") == 110.0)
    wait_for(lambda: value(clean, "accumulate") is True)
    place = '{"x": 1, "y": 2, "width": 3, "height": 4}'
    clean.set_parameter("rois", f'{{"photon": {place}}}'.encode())
    wait_for(lambda: value(clean, "photon_roi") == place)
    component.request("photon_threshold", 150.0)
    clean.set_parameter("rois", b"{}")
    wait_for(lambda: value(clean, "photon_roi") == "")
    assert value(clean, "photon_threshold") == 150.0, "what lies there from before is no news"
    assert component.view.settings.pileup_threshold == PARAMETERS["pileup_threshold"].default


def test_an_invalid_change_by_another_client_is_undone(follow, clean):
    component = follow(background=70.5)
    clean.set_parameter("background", b"many")
    clean.set_parameter("rois", b'{"a/b": {}}')
    wait_for(lambda: clean.parameter("background") == b"70.5")
    wait_for(lambda: clean.parameter("rois") == b"{}")
    assert component.view.settings.background == 70.5


def test_at_the_first_contact_ours_win_where_we_have_an_opinion(follow, clean):
    clean.set_parameter("background", b"11.5")
    clean.set_parameter("cmos_threshold", b"22.5")
    component = follow(background=70.5)
    wait_for(lambda: component.view.settings.cmos_threshold == 22.5)
    assert value(clean, "background") == 70.5


def test_a_write_while_the_controller_is_away_is_delivered_later(pipeline, clean):
    with closed_port() as address:
        controller = Controller(address)
        sync = SettingsSync(controller)
        with pytest.raises(Unreachable):
            sync.poll()
        sync.request("background", 44.5)
        assert sync.settings.background == 44.5
        assert not sync.delivered
    controller.url = pipeline["controller"]
    sync.poll()
    assert sync.delivered
    assert value(clean, "background") == 44.5
    controller.close()


class Watched(Controller):
    """Notes what is posted, and how far the services were when it was."""

    def __init__(self, url):
        super().__init__(url)
        self.posted = []
        self.agreed = True

    def set_parameter(self, name, data):
        self.posted.append((name, data, self.agreed))
        self.wanted = super().set_parameter(name, data)
        self.agreed = False
        return self.wanted

    def config(self):
        config = super().config()
        self.agreed = not config.behind(getattr(self, "wanted", None))
        return config


@pytest.fixture
def watched(pipeline, clean):
    controller = Watched(pipeline["controller"])
    yield controller
    controller.close()


def test_a_sum_begins_only_when_all_services_know_its_number(watched):
    sync = SettingsSync(watched)
    sync.poll()
    before = sync.settings.accumulation_id
    watched.posted.clear()
    sync.request("background", 55.5)
    sync.request("accumulate", True)
    sync.poll()
    names = [name for name, _, _ in watched.posted]
    assert names[0] == "background"
    assert names[-1] == "accumulate"
    assert set(names[1:-1]) == {"accumulation_id"}
    assert watched.posted[-1][2], "posted before all services had the number"
    assert sync.settings.accumulation_id > before
    assert sync.delivered


def test_reset_and_a_quick_toggle_raise_the_number(watched):
    sync = SettingsSync(watched)
    sync.request("accumulate", True)
    sync.poll()
    numbers = [sync.settings.accumulation_id]
    sync.new_sum()
    sync.poll()
    numbers.append(sync.settings.accumulation_id)
    sync.request("accumulate", False)
    sync.request("accumulate", True)
    sync.poll()
    numbers.append(sync.settings.accumulation_id)
    assert numbers == sorted(set(numbers))
    assert value(watched, "accumulation_id") == numbers[-1]


def test_a_restarted_device_goes_on_with_a_running_sum(watched):
    first = SettingsSync(watched)
    first.request("accumulate", True)
    first.poll()
    second = SettingsSync(watched, remembered(accumulate=True))
    second.poll()
    assert second.settings.accumulation_id == first.settings.accumulation_id
    second.new_sum()
    assert second.settings.accumulation_id > first.settings.accumulation_id


def test_a_restarted_device_begins_a_sum_where_none_is_running(watched):
    first = SettingsSync(watched)
    first.poll()
    second = SettingsSync(watched, remembered(accumulate=True))
    second.poll()
    assert second.settings.accumulation_id > first.settings.accumulation_id
    assert value(watched, "accumulate") is True


def test_accumulate_of_another_client_begins_a_new_sum(follow, clean):
    component = follow()
    before = component.view.settings.accumulation_id
    clean.set_parameter("accumulate", b"True")
    wait_for(lambda: component.view.settings.accumulate)
    assert component.view.settings.accumulation_id > before
    wait_for(lambda: component.sync.delivered)
    assert value(clean, "accumulation_id") == component.view.settings.accumulation_id


def test_what_was_written_here_and_not_delivered_wins(watched):
    sync = SettingsSync(watched)
    sync.poll()
    before = watched.config().parameters_version["background"]
    watched.set_parameter("background", b"1.5")
    sync.request("background", 2.5)
    wait_for(lambda: watched.config().parameters_version["background"] != before)
    sync.poll()
    assert sync.settings.background == 2.5
    assert value(watched, "background") == 2.5


def post_defaults(controller):
    for name, parameter in PARAMETERS.items():
        controller.set_parameter(name, parameter.encode(parameter.default))


def test_all_defaults_at_once_are_a_controller_that_forgot(watched):
    sync = SettingsSync(watched)
    sync.request("background", 77.5)
    sync.request("accumulate", True)
    sync.poll()
    number = sync.settings.accumulation_id
    wait_for(lambda: not watched.config().behind(watched.wanted))
    sync.poll()
    post_defaults(watched)
    wait_for(lambda: not watched.config().behind(watched.wanted))
    sync.poll()
    assert value(watched, "background") == 77.5
    assert value(watched, "accumulate") is True
    assert value(watched, "accumulation_id") == number, "the sum goes on"


def test_a_change_among_them_is_adopted_all_the_same(watched):
    sync = SettingsSync(watched)
    sync.request("background", 77.5)
    sync.poll()
    wait_for(lambda: not watched.config().behind(watched.wanted))
    sync.poll()
    post_defaults(watched)
    watched.set_parameter("histogram_bins", b"17")
    wait_for(lambda: not watched.config().behind(watched.wanted))
    sync.poll()
    assert sync.settings.histogram_bins == 17
    assert value(watched, "background") == 77.5


def test_an_emptied_output_folder_switches_saving_off(pipeline, clean, tmp_path):
    properties = {"ControllerUrl": pipeline["controller"], "ReducerUrl": pipeline["reducer"]}
    with device_server(tmp_path / "a.txt", {**properties, "OutputFolder": str(tmp_path)}):
        wait_for(lambda: value(clean, "output_folder") == str(tmp_path))
    with device_server(tmp_path / "b.txt", properties):
        wait_for(lambda: value(clean, "output_folder") == "")


def test_what_another_client_posts_just_before_one_of_ours_is_adopted(follow, clean):
    component = follow(background=70.5)
    for number in range(12):
        clean.set_parameter("cmos_threshold", f"{number}.5".encode())
        component.request("background", 40.0 + number)
        wait_for(lambda n=number: component.view.settings.cmos_threshold == n + 0.5)
        wait_for(lambda n=number: value(clean, "background") == 40.0 + n)
        assert value(clean, "cmos_threshold") == number + 0.5
        assert component.view.settings.background == 40.0 + number


def test_a_write_of_what_stands_here_wins_over_what_another_client_posted_before(follow, clean):
    component = follow(background=70.5)
    for _ in range(5):
        clean.set_parameter("background", b"11.5")
        component.request("background", 70.5)
        wait_for(lambda: component.sync.delivered)
        assert value(clean, "background") == 70.5
        assert component.view.settings.background == 70.5
