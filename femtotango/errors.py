"""The exceptions of the device side, as one small tree.

    FemtomaxError
    ├── RequestError            what the client asked for cannot be done
    │   ├── BadRequest          JSON or arguments that cannot be read
    │   ├── BadValue            a setting that cannot take that value
    │   ├── BadRoi              a ROI or a ROI name that cannot be used
    │   ├── UnknownStream       no ingester brings that stream
    │   ├── ScanRunning         a scan is not finished yet
    │   ├── NotTrusted          raw data must not be dropped now
    │   ├── NoBalor             the Balor's device cannot be used
    │   ├── NoImage             there is no image yet
    │   ├── NoGeometry          detector position or photon energy is not set
    │   ├── BadPath             a file that cannot be written or read
    │   └── BadProperty         a property that cannot be used keeps the device from working
    └── PipelineError           the pipeline cannot do it now
        ├── Unreachable         no answer
        │   └── TimedOut        none in time: it may be busy
        ├── BadReply            an answer that makes no sense
        ├── NotReady            services are missing or do not agree yet
        └── Interrupted         the device was initialised or ended meanwhile

Tango clients see the class as the reason ``Femtomax_<name>`` and the text as the description.
"""


class FemtomaxError(Exception):
    """Anything that this package raises on purpose; the text says what is wrong and the cure."""

    @property
    def reason(self) -> str:
        """The reason that a Tango client sees."""
        return f"Femtomax_{type(self).__name__}"


class RequestError(FemtomaxError):
    """What the client asked for cannot be done."""


class BadRequest(RequestError):
    """JSON or arguments that cannot be read."""


class BadValue(RequestError):
    """A setting that cannot take that value."""


class BadRoi(RequestError):
    """A ROI or a ROI name that cannot be used."""


class UnknownStream(RequestError):
    """No ingester brings that stream."""


class ScanRunning(RequestError):
    """A scan is not finished yet."""


class NotTrusted(RequestError):
    """Raw data must not be dropped now."""


class NoBalor(RequestError):
    """The Balor's device cannot be used."""


class NoImage(RequestError):
    """There is no image yet."""


class NoGeometry(RequestError):
    """Detector position or photon energy is not set."""


class BadPath(RequestError):
    """A file that cannot be written or read."""


class BadProperty(RequestError):
    """A property that cannot be used keeps the device from working."""


class PipelineError(FemtomaxError):
    """The pipeline cannot do it now."""


class Unreachable(PipelineError):
    """A part of the pipeline did not answer."""


class TimedOut(Unreachable):
    """A part of the pipeline did not answer in time; it may only be busy."""


class BadReply(PipelineError):
    """A part of the pipeline answered with something that makes no sense."""


class NotReady(PipelineError):
    """Services are missing or do not agree yet."""


class Interrupted(PipelineError):
    """The device was initialised or ended meanwhile."""

    def __init__(self) -> None:
        super().__init__("The device was initialised or ended meanwhile: call it again.")
