"""What people decided about the candidates of a section that they have reviewed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ienfd.correction.correct import Corrected, ReviewState
from ienfd.counting import count_crossings, find_all
from ienfd.counting.evidence import weights_of
from ienfd.geometry import FloatArray
from ienfd.protocol import ConfidenceModel, CountingRules

__all__ = ["MATTERS_OF_CONFIDENCE", "Decisions", "decisions_of", "together"]

_FEATURES = len(weights_of(ConfidenceModel()))
MATTERS_OF_CONFIDENCE = ("crosses", "too_faint")
"""Why a candidate counts or not, where nothing but its confidence decides."""


@dataclass(frozen=True, eq=False)
class Decisions:
    """Candidates, and whether people count them.

    Parameters
    ----------
    features : (N, 9) ndarray of float
        What the confidence of each is made of; see `ienfd.counting.evidence.Evidence.features`.
    counted : (N,) ndarray of bool
        What people decided.
    group : (N,) ndarray of str
        Patient, or section, that each is from: never in two parts of a cross-validation.
    added : int
        Crossings that people added where there was no candidate: no confidence finds them.
    sections : int
        Reviewed sections they are from.
    """

    features: FloatArray
    counted: NDArray[np.bool_]
    group: NDArray[np.str_]
    added: int
    sections: int

    def __len__(self) -> int:
        return len(self.counted)


def decisions_of(corrected: Corrected, rules: CountingRules, group: str) -> Decisions | None:
    """Decisions about the candidates of one section; None where it is not reviewed, or has no density.

    Only what is a matter of confidence takes part: neither what the rules decide nor what lies in an
    excluded stretch.

    Parameters
    ----------
    corrected : Corrected
        The section as it stands, with all of its findings.
    rules : CountingRules
        By which it was counted.
    group : str
        The patient, or the section.
    """
    result = corrected.result
    if corrected.review is not ReviewState.REVIEWED or result.count is None:
        return None
    stands = {crossing.crossing_id: crossing.counted for crossing in result.crossings}
    added = sum(crossing.counted and crossing.origin == "manual" for crossing in result.crossings)
    found = find_all(result.findings, rules)
    if found is None:
        return None
    features, counted = [], []
    for candidate, crossing in zip(
        found.candidates, count_crossings(result.findings, rules, found), strict=True
    ):
        if crossing.reason in MATTERS_OF_CONFIDENCE and crossing.crossing_id in stands:
            features.append(candidate.evidence.features)
            counted.append(stands[crossing.crossing_id])
    return Decisions(
        np.array(features, dtype=np.float64).reshape(-1, _FEATURES),
        np.array(counted, dtype=bool),
        np.array([group] * len(counted), dtype=np.str_),
        added,
        1,
    )


def together(every: Iterable[Decisions]) -> Decisions:
    """Decisions about several sections as one."""
    known = list(every)
    if not known:
        return Decisions(np.empty((0, _FEATURES)), np.empty(0, bool), np.empty(0, np.str_), 0, 0)
    return Decisions(
        np.concatenate([one.features for one in known]),
        np.concatenate([one.counted for one in known]),
        np.concatenate([one.group for one in known]),
        sum(one.added for one in known),
        sum(one.sections for one in known),
    )
