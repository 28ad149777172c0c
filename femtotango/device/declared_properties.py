"""The device's properties, as Tango knows them: names, defaults and help."""

from tango.server import device_property

from femtotango.device.base import DeviceCore


class DeclaredProperties(DeviceCore):
    """The device with its properties; `Properties` checks what they say."""

    ControllerUrl = device_property(
        dtype=str, default_value="http://localhost:5000", doc="dranspose's controller."
    )
    ReducerUrl = device_property(
        dtype=str, default_value="http://localhost:5001", doc="dranspose's reducer."
    )
    SardanaUrl = device_property(
        dtype=str,
        default_value="",
        doc="dranspose's Sardana ingester; it asks the workers to flush after a stop.",
    )
    BalorDevice = device_property(
        dtype=str, default_value="", doc="Tango device of the Balor, for SaveRaw; empty: none."
    )
    # As text: a number that Tango cannot read would keep it from reading the other properties.
    UpdateRate = device_property(dtype=str, default_value="5", doc="Results per second [Hz].")
    OutputFolder = device_property(
        dtype=str, default_value="", doc="Ended sums are saved here; empty: nowhere."
    )
    JournalFolder = device_property(
        dtype=str,
        default_value="",
        doc="Where the reducer keeps its journal, as `femtotango up` tells it; empty: nowhere.",
    )
    AllowedFolders = device_property(
        dtype=(str,),
        default_value=[],
        doc="Save and Load commands stay inside, links followed; empty: OutputFolder and the raw "
        "file's folder, or anywhere while there is no OutputFolder.",
    )
    KeptQValues = device_property(
        dtype=(str,), default_value=[], doc="QValues; written by the device itself."
    )
    KeptRoiSlots = device_property(
        dtype=(str,), default_value=[], doc="RoiSlots; written by the device itself."
    )
    KeptScan = device_property(
        dtype=(str,), default_value=[], doc="The newest scan; written by the device itself."
    )
    KeptRawData = device_property(
        dtype=(str,),
        default_value=[],
        doc="Frames without raw data and photons; written by the device itself.",
    )
    KeptCameras = device_property(
        dtype=(str,),
        default_value=[],
        doc="Cameras that have attributes of their own; written by the device itself.",
    )
    KeptSum = device_property(
        dtype=(str,),
        default_value=[],
        doc="Number of the newest sum; written by the device itself.",
    )
