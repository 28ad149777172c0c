"""The attributes of single photons: energies, counts, trust, and frames that are not safe."""

from femtotango.component import health
from femtotango.component import result_readers as readers
from femtotango.component.result_row import Result, Source, most_bins
from femtotango.text_encoding import latin

_HISTOGRAM = most_bins("histogram_bins")

PHOTON_RESULTS: tuple[Result, ...] = (
    Result(
        "EnergyHistogram",
        float,
        "Photons of this scan per bin of EnergyAxis.",
        readers.array(lambda p: p.energy_histogram.counts, this_scan=True),
        dims=_HISTOGRAM,
    ),
    Result(
        "EnergyAxis",
        float,
        "Bin centres of EnergyHistogram.",
        readers.array(lambda p: p.energy_histogram.energy, this_scan=True),
        unit="ADU",
        dims=_HISTOGRAM,
    ),
    Result(
        "PhotonCount",
        int,
        "Photons of this scan.",
        readers.count(lambda p: p.photons.count, this_scan=True),
    ),
    Result(
        "PileupFraction",
        float,
        "Share of this scan's photons that overlap others or are above PileupThreshold.",
        readers.number(lambda p: p.photons.pileup_fraction, this_scan=True),
        alarm=health.piles_up,
    ),
    Result(
        "HitDensity",
        float,
        "Pixels above PhotonThreshold per ROI pixel in the newest frame.",
        readers.number(lambda p: p.photons.hit_density, this_scan=True),
    ),
    Result(
        "SkippedFrames",
        int,
        "Frames of this scan that were too dense for photon detection.",
        readers.count(lambda p: p.photons.skipped_frames, this_scan=True),
        alarm=health.skips_frames,
    ),
    Result(
        "Trusted",
        bool,
        "The photons of this scan are what the detector saw.",
        lambda view: bool(view.of_this_scan.photons.trusted),
    ),
    Result(
        "TrustReason",
        str,
        "Why photons are not trusted, or raw data must be kept, and what to do.",
        readers.text(lambda p: p.photons.reason, this_scan=True),
    ),
    Result(
        "PhotonFile",
        str,
        "File of this scan's photons.",
        readers.text(lambda p: p.photons.filename, this_scan=True),
    ),
    Result(
        "UnsafeFrames",
        str,
        "Frames that have neither raw data nor photons in the file, `scan 12: 57-; scan 13: 4-6, "
        "9`; open at the end while it is not known. Kept until AcknowledgeLoss.",
        lambda view: latin(view.unsafe_frames),
        source=Source.DEVICE,
        alarm=lambda view: bool(view.unsafe_frames),
    ),
)
