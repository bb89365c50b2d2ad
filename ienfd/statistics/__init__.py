"""Densities and how sure they are, and how well readers agree; nothing here sees an image."""

from __future__ import annotations

from ienfd.statistics.agreement import (
    SAME_UM,
    BlandAltman,
    Matching,
    bland_altman,
    cohen_kappa,
    f1,
    icc_2_1,
    match_places,
)
from ienfd.statistics.agreement_intervals import (
    bias_interval,
    icc_interval,
    kappa_interval,
    limit_intervals,
    share_interval,
)
from ienfd.statistics.calibration import Bin, calibration, calibration_error
from ienfd.statistics.change import (
    BETWEEN_READERS,
    ONE_READER,
    Change,
    Interval,
    ReadingNoise,
    density_change,
)
from ienfd.statistics.dispersion import dispersed_interval, overdispersion, pearson_dispersion
from ienfd.statistics.poisson import expected_interval, poisson_interval
from ienfd.statistics.sampling import SETTLE_AT_MOST, sections_to_settle

__all__ = [
    "BETWEEN_READERS",
    "ONE_READER",
    "SAME_UM",
    "SETTLE_AT_MOST",
    "Bin",
    "BlandAltman",
    "Change",
    "Interval",
    "Matching",
    "ReadingNoise",
    "bias_interval",
    "bland_altman",
    "calibration",
    "calibration_error",
    "cohen_kappa",
    "density_change",
    "dispersed_interval",
    "expected_interval",
    "f1",
    "icc_2_1",
    "icc_interval",
    "kappa_interval",
    "limit_intervals",
    "match_places",
    "overdispersion",
    "pearson_dispersion",
    "poisson_interval",
    "sections_to_settle",
    "share_interval",
]
