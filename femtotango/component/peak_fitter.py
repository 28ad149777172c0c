"""Fit a model to the curve of one ROI while the scan runs."""

from femtotango.component.results_poller import Curves
from pipeline.frames.peak_fit import PeakFit, fit_peak
from pipeline.model.parameters import Settings

NO_ROI = PeakFit("none", "no fit: set FitRoi and FitModel")


class PeakFitter:
    """Fits anew when the curve or what is asked for has changed.

    The results' thread calls it, before a scan counts as finished: clients never wait for a fit,
    and read that of the whole curve when ScanFinished is true.
    """

    def __init__(self) -> None:
        self._done: tuple[object, ...] = ()
        self._fit = NO_ROI

    def follow(self, curves: Curves, settings: Settings) -> PeakFit:
        """Return the fit of the curve.

        Args:
            curves: the newest.
            settings: which ROI, and which model.
        """
        asked = settings.fit_roi, settings.fit_model, curves.revision, curves.mapping
        if asked != self._done:
            self._fit = _fit(curves, settings)
            self._done = asked
        return self._fit


def _fit(curves: Curves, settings: Settings) -> PeakFit:
    roi, model = settings.fit_roi, settings.fitted_model
    if not roi or model == "none":
        return NO_ROI
    if roi not in settings.roi_map:
        return PeakFit(model, f"no fit: there is no ROI {roi!r}; write one of RoiNames to FitRoi")
    if roi not in curves.names:
        return PeakFit(model, f"no fit yet: ROI {roi!r} has no curve in this scan")
    row = curves.names.index(roi)
    counts = None if curves.counts is None else curves.counts[row]
    return fit_peak(curves.x, curves.means[row], curves.errors[row], counts, model=model)
