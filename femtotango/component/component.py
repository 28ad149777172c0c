"""Mirror the pipeline: settings go there, results come here. Knows nothing of Tango."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from femtotango.component import setting_flow
from femtotango.component.arming import Arming
from femtotango.component.correction_commands import check_files, taken
from femtotango.component.delivery import DELIVERY, Delivery
from femtotango.component.kept import Kept
from femtotango.component.pace import controller_pause, is_ending, reducer_may_rest
from femtotango.component.peak_fitter import PeakFitter
from femtotango.component.polls import Polls
from femtotango.component.results_poller import PATIENCE, Observation, Observer
from femtotango.component.roi_slots import assign
from femtotango.component.scan_control import ScanControl
from femtotango.component.scan_request import ScanRequest
from femtotango.component.setting_flow import ACCUMULATION_ID
from femtotango.component.settings_sync import SettingsSync
from femtotango.component.state import Pipeline, View, is_news
from femtotango.component.vital_signs import VitalSigns
from femtotango.dranspose_client.addresses import Addresses
from femtotango.dranspose_client.controller import Controller
from femtotango.dranspose_client.reducer import Reducer
from femtotango.dranspose_client.sardana_ingester import SardanaIngester
from femtotango.errors import BadProperty, NotReady, PipelineError, TimedOut
from pipeline.model.parameter import Value
from pipeline.model.parameters import POSITION

logger = logging.getLogger(__name__)

GEOMETRY_CAMERA = "geometry_camera"


class Component:
    """Two threads: a controller that hangs does not stop the results."""

    def __init__(
        self,
        addresses: Addresses,
        update_rate: float,
        on_change: Callable[[], None] = lambda: None,
        kept: Kept | None = None,
        configuration_errors: tuple[str, ...] = (),
        allowed_folders: tuple[str, ...] = (),
    ) -> None:
        """Take addresses and callbacks; `start` begins to work.

        Args:
            addresses: of controller, reducer and Sardana's ingester.
            update_rate: how often results are fetched [Hz].
            on_change: called from the component's threads after the view has changed.
            kept: what the life before has left; None: nothing.
            configuration_errors: what keeps the device from working; nothing is accepted then.
            allowed_folders: where Save and Load commands stay; see `View.file_folders`.
        """
        kept = kept or Kept(controller=addresses.controller)
        flow = kept.flow
        if kept.controller != addresses.controller:
            flow = setting_flow.elsewhere(flow)
        self._addresses = addresses
        self._period = 1.0 / update_rate
        self._on_change = on_change
        self._controller = Controller(addresses.controller)
        self.reducer = Reducer(addresses.reducer)
        sardana = SardanaIngester(addresses.sardana) if addresses.sardana else None
        self._sardana = sardana
        self._closing = threading.Event()
        self.sync = SettingsSync(self._controller, flow, self._closing)
        self.delivery = Delivery(
            self.sync,
            self._controller,
            lambda: self._view.pipeline.error is not None,
            self._closing,
        )
        self.signs = VitalSigns(addresses, self.sync)
        self._observer = Observer(self.reducer)
        self._fitter = PeakFitter()
        self.scans = ScanControl(
            Arming(self._controller, self.reducer, sardana, self.sync, self._closing),
            self.sync,
            lambda: self._view.results,
            self.refresh,
            kept.scan,
            self._closing,
        )
        self._view = View(
            slots=kept.slots,
            max_filter=kept.max_filter,
            pipeline=Pipeline(replay=addresses.replay),
            configuration_errors=configuration_errors,
            allowed_folders=allowed_folders,
        )
        self._view_lock = threading.Lock()
        self._news_at = time.monotonic()
        """When the view changed last."""
        self._timeouts = 0
        self._polls = Polls(self._closing)
        self._asked = threading.Event()
        """The controller was asked once, so that a scan under way is known."""
        self._threads: list[threading.Thread] = []

    # Life

    def start(self) -> None:
        """Begin to post settings and to fetch results."""
        self._publish()
        self.scans.start()
        self.signs.start_pulse()
        for name, work in (("settings", self._follow), ("results", self._observe)):
            thread = threading.Thread(target=work, name=f"femtomax-{name}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def keep(self) -> Kept:
        """Return what a next life of the device begins with."""
        view = self._view
        return Kept(
            flow=self.sync.flow,
            controller=self._addresses.controller,
            max_filter=view.max_filter,
            slots=view.slots,
            scan=self.scans.keep(),
            sum_number=int(self.sync.flow[ACCUMULATION_ID].requested),
        )

    def close(self) -> None:
        """End the threads and the connections; takes as long as the request under way."""
        self._closing.set()
        self.sync.wake.set()
        self._polls.wake()
        self.scans.close()
        for thread in self._threads:
            thread.join(timeout=5.0)
        self.signs.close()
        for part in (self._controller, self.reducer, self._sardana):
            if part is not None:
                part.close()

    # What the device reads and writes

    @property
    def view(self) -> View:
        """Everything that clients can see, as it stands."""
        return self._view

    def request(self, name: str, value: Any) -> Value:
        """Request a parameter's value; see `SettingsSync.request`.

        A detector's position becomes that of the camera that is shown.

        Raises:
            BadProperty: the device cannot work, so the value would never be in force.
            BadPath: the value names a file that may not be read.
        """
        self.check_configuration()
        check_files(self._view, name, value)
        normal = self.sync.request(name, value)
        camera = self._view.shown_camera
        if name in POSITION and camera:
            self.sync.request(GEOMETRY_CAMERA, camera)
        self._publish()
        return normal

    def new_sum(self) -> None:
        """Request that a new sum begins."""
        self.check_configuration()
        self.sync.new_sum()
        self._publish()

    def told(self, values: Mapping[str, Value]) -> None:
        """Note what Tango shows as written and remembers now, by parameter."""
        self.sync.told(values)

    def check_configuration(self) -> None:
        """Check that what is accepted now would be done.

        Raises:
            BadProperty: a property keeps the device from working; names it.
        """
        errors = self._view.configuration_errors
        if errors:
            raise BadProperty(f"Nothing is accepted: {' '.join(errors)} Correct it and call Init.")

    def update(self, **changes: Any) -> None:
        """Change parts of the view that the device itself knows."""
        self._publish(**changes)

    def refresh(self) -> Observation:
        """Fetch all results once more and return them."""
        self._polls.wait_for_whole()
        return self._view.results

    def prepare(self, request: ScanRequest) -> None:
        """Begin a scan; see `ScanControl.prepare`."""
        self.check_configuration()
        self.scans.prepare(request)
        self._publish()

    def start_continuous(self, streams: Sequence[str]) -> None:
        """Begin continuous mode; see `ScanControl.start_continuous`."""
        self.check_configuration()
        self.scans.start_continuous(streams)
        self._publish()

    def stop(self, continuous: bool) -> None:
        """Give up what is outstanding; see `ScanControl.stop`."""
        self._asked.wait(DELIVERY)
        self.scans.stop(continuous)
        self._publish()

    # The settings' thread

    def _follow(self) -> None:
        while not self._closing.is_set():
            try:
                self._publish(pipeline=self._ask_controller())
            except Exception as error:  # noqa: BLE001 - whatever it is, settings must go on
                self._show_fault("Settings and scans", error)
            self._asked.set()
            self.sync.wake.wait(controller_pause(self._view, self.sync.delivered, self._period))
            self.sync.wake.clear()

    def _ask_controller(self) -> Pipeline:
        pipeline = replace(self._view.pipeline, waiting="")
        # Before the controller is asked: what it does not know then, nobody else is just posting.
        known_sum = self._view.snapshot.sum_number
        try:
            with self.sync.posting():
                asked = time.monotonic()
                try:
                    config = self.sync.poll()
                    self.sync.know_sum(known_sum)
                    self._publish()
                except NotReady as error:
                    pipeline = replace(pipeline, waiting=str(error))
                    config = self._controller.config()
                if self.scans.wants_progress(config, self._view.results):
                    progress = self._controller.progress()
                    self.scans.follow(config, progress, self._view.results)
            self.signs.see(config, asked)
            self.signs.watch_scan(self.scans.prepared_here)
            self.scans.give_up_lost(self.signs.silent_in_scan())
            self._timeouts = 0
            return replace(pipeline, config=config, error=None, time=time.time())
        except PipelineError as error:
            self._timeouts = self._timeouts + 1 if isinstance(error, TimedOut) else PATIENCE + 1
            if self._timeouts <= PATIENCE:
                return pipeline
            self.sync.forget_hash()
            return replace(pipeline, error=str(error))

    # The results' thread

    def _observe(self) -> None:
        while not self._closing.is_set():
            begin = time.monotonic()
            complete = self._polls.begin()
            try:
                if complete or not self._may_rest():
                    self._fetch_results(complete)
            except Exception as error:  # noqa: BLE001 - whatever it is, results must go on
                self._show_fault("Results", error)
            self._polls.end()
            self._polls.pause(begin + self._period - time.monotonic())

    def _may_rest(self) -> bool:
        # A reducer that ends closes its connection, which is seen without asking.
        rests = reducer_may_rest(self._view, self.sync.delivered, self._news_at)
        return rests and self.reducer.is_connected

    def _fetch_results(self, complete: bool) -> None:
        results = self._observer.poll_results(complete)
        if self.scans.wants_all(results):
            results = self._observer.poll_results(complete=True)
        # In this order: a scan is done only after its results can be read.
        fit = self._fitter.follow(results.curves, self.sync.settings)
        self._publish(results=results, fit=fit)
        self.scans.follow_results(results)
        for name, value in taken(self.sync.settings, results.snapshot.dark).items():
            self.sync.request(name, value)
        self._publish()
        if is_ending(self._view):
            self.sync.wake.set()

    def _show_fault(self, what: str, error: Exception) -> None:
        """Show an error that nobody expected, and write it to the log while it is news."""
        text = f"{what} stand still because of an unexpected error ({error!r}); see the log."
        with self._view_lock:
            view = self._view
            if what == "Results":
                known, results = view.results.error, replace(view.results, error=text)
                self._view = replace(view, results=results)
            else:
                known, pipeline = view.pipeline.error, replace(view.pipeline, error=text)
                self._view = replace(view, pipeline=pipeline)
        if text != known:
            logger.error(text, exc_info=error)

    def _publish(self, **changes: Any) -> None:
        with self._view_lock:
            before = self._view
            settings = self.sync.settings
            view = replace(
                before,
                settings=settings,
                scan=self.scans.scan,
                slots=assign(before.slots, settings.roi_map),
                given_up=self.scans.given_up,
                scan_error=self.scans.last_error,
                **changes,
            )
            view = self._view = replace(view, last_error=_newest_error(before, view))
            news = is_news(before, view)
            old, new = before.results, view.results
            fetched_again = old.snapshot is not new.snapshot and old.revision == new.revision
            if news and not fetched_again:
                self._news_at = time.monotonic()
        if news:
            self._on_change()


def _newest_error(before: View, view: View) -> str:
    if view.scan_error != before.scan_error:
        return view.scan_error
    error = view.snapshot.health.last_error
    return error if error != before.snapshot.health.last_error else before.last_error
