"""Adopt what clients of the beamline's earlier pipeline post, under the names that they know."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from femtotango.errors import BadValue
from pipeline.model.old_parameters import OLD_PARAMETERS, photon_roi_in, translate
from pipeline.model.parameter import ParameterError
from pipeline.model.parameters import Settings

logger = logging.getLogger(__name__)

PHOTON_ROI = "photon_roi"


class OldClients:
    """Turns each old parameter that is new at the controller into a request of ours."""

    def __init__(
        self, parameter: Callable[[str], bytes | None], request: Callable[[str, Any], Any]
    ) -> None:
        """Take what it needs.

        Args:
            parameter: gives the bytes of a parameter at the controller.
            request: requests a value here.
        """
        self._parameter = parameter
        self._request = request
        self._versions: Mapping[str, str] | None = None
        """Of the old parameters at the controller; None: nobody has looked yet."""

    def poll(self, versions: Mapping[str, str], settings: Settings) -> None:
        """Request what was posted since the last poll; what lay there before the first is no news.

        Args:
            versions: of all parameters at the controller, by name.
            settings: in force now.

        Raises:
            PipelineError: the controller cannot be reached; the next poll tries again.
        """
        found = {name: version for name, version in versions.items() if name in OLD_PARAMETERS}
        known = found if self._versions is None else self._versions
        for name in (n for n, version in found.items() if known.get(n) != version):
            data = self._parameter(name)
            try:
                self._request(*translate(name, data or b"", settings))
            except (ParameterError, BadValue) as error:
                logger.warning("another client's parameter was not adopted: %s", error)
        self._versions = found

    def follow_rois(self, before: str, settings: Settings) -> None:
        """Search photons where another client has put its ROI `photon`, and end it without one.

        Args:
            before: the ROIs before it posted others, as JSON.
            settings: with those that it has posted.
        """
        old, new = photon_roi_in(before), photon_roi_in(settings.rois)
        if new is not None and new != settings.photon_roi:
            self._request(PHOTON_ROI, new)
        elif new is None and old is not None and old == settings.photon_roi:
            self._request(PHOTON_ROI, "")
