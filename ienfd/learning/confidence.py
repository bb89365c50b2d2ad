"""A confidence learned from decisions, and what it is worth on patients that it has not seen.

The weights start from a model that is there and leave it only as far as the decisions ask for: each has a
normal prior about its former value, so that a few sections change little. None changes its sign: more
contrast never makes a candidate less sure.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from ienfd.counting.evidence import weights_of
from ienfd.geometry import FloatArray
from ienfd.learning.decisions import Decisions
from ienfd.protocol import ConfidenceModel
from ienfd.statistics import calibration, calibration_error, f1

__all__ = ["FOLDS", "LEAST_EACH", "LEAST_GROUPS", "Learned", "Worth", "learn", "learned"]

FOLDS = 5
LEAST_GROUPS = 10
LEAST_EACH = 20
"""Fewer patients, or fewer candidates that people count or do not count, tell too little."""

_SPREAD = 0.5  # of the prior, as a share of the former weight, or of 1 where that is smaller
_SURE = 1.645  # one-sided 95 %
_DIGITS = 4


@dataclass(frozen=True)
class Worth:
    """How well confidences agree with what people decided.

    Parameters
    ----------
    log_loss : float
        Mean negative logarithm of the probability given to what was decided.
    calibration_error : float
        Expected difference between confidence and share of candidates counted, in ten bins.
    precision, recall, f1 : float
        Of what is counted at the protocol's `min_confidence`; what people added is missed by any.
    """

    log_loss: float
    calibration_error: float
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Learned:
    """A learned model, and what it is worth beside the former one, both on patients not learned from.

    Parameters
    ----------
    model : ConfidenceModel
        Learned from all decisions.
    before, after : Worth
        Of the former model, and of models learned without the patient they tell about.
    gain_error : float
        Standard error, over patients, of the log-loss that is gained.
    """

    model: ConfidenceModel
    before: Worth
    after: Worth
    gain_error: float

    @property
    def is_better(self) -> bool:
        """Whether it told better what people decide, by more than chance among patients explains."""
        return self.before.log_loss - self.after.log_loss > _SURE * self.gain_error


def learned(decisions: Decisions, former: ConfidenceModel, min_confidence: float, source: str) -> Learned:
    """Learn a model from decisions, and measure it by cross-validation over patients.

    Parameters
    ----------
    decisions : Decisions
        Of `LEAST_GROUPS` patients or more.
    former : ConfidenceModel
        Where it starts from, and what it is compared with.
    min_confidence : float
        From which confidence on a candidate counts.
    source : str
        What the model says it was learned from.
    """
    _, number = np.unique(decisions.group, return_inverse=True)
    fold = number % FOLDS
    told = np.empty(len(decisions))
    for one in range(FOLDS):
        held = fold == one
        weights = learn(decisions.features[~held], decisions.counted[~held], former)
        told[held] = expit(decisions.features[held] @ weights)
    weights = learn(decisions.features, decisions.counted, former)
    names = [field.name for field in fields(ConfidenceModel)][1:]
    values = dict(zip(names, (round(float(weight), _DIGITS) for weight in weights), strict=True))
    usual = expit(decisions.features @ np.array(weights_of(former)))
    return Learned(
        replace(former, learned_from=source, **values),
        _worth(usual, decisions, min_confidence),
        _worth(told, decisions, min_confidence),
        _gain_error(usual, told, decisions.counted, number),
    )


def learn(features: FloatArray, counted: NDArray[np.bool_], former: ConfidenceModel) -> FloatArray:
    """(9,) weights that explain the decisions best, given where they come from."""
    start = np.array(weights_of(former))
    spread = _SPREAD * np.maximum(np.abs(start), 1.0)
    sign = np.where(counted, 1.0, -1.0)

    def cost(weights: FloatArray) -> tuple[float, FloatArray]:
        margin = sign * (features @ weights)
        away = (weights - start) / spread
        slope = -(sign * expit(-margin)) @ features + away / spread
        return float(np.logaddexp(0.0, -margin).sum() + 0.5 * (away**2).sum()), slope

    bounds = [(None, None), *((0.0, None) if weight >= 0 else (None, 0.0) for weight in start[1:])]
    return np.asarray(minimize(cost, start, jac=True, method="L-BFGS-B", bounds=bounds).x)


def _worth(confidence: FloatArray, decisions: Decisions, min_confidence: float) -> Worth:
    counted = decisions.counted
    taken = confidence >= min_confidence
    right, given = int((taken & counted).sum()), int(taken.sum())
    true = int(counted.sum()) + decisions.added
    return Worth(
        float(_losses(confidence, counted).mean()),
        calibration_error(calibration(confidence, counted)),
        right / given if given else 0.0,
        right / true if true else 0.0,
        f1(right, given - right, true - right),
    )


def _losses(confidence: FloatArray, counted: NDArray[np.bool_]) -> FloatArray:
    return np.asarray(-np.log(np.clip(np.where(counted, confidence, 1.0 - confidence), 1e-12, 1.0)))


def _gain_error(
    usual: FloatArray, told: FloatArray, counted: NDArray[np.bool_], patient: NDArray[np.intp]
) -> float:
    """Standard error of the mean gain of a candidate; candidates of one patient are not independent."""
    gain = _losses(usual, counted) - _losses(told, counted)
    apart = np.bincount(patient, gain - gain.mean())
    return float(np.sqrt((apart**2).sum() * len(apart) / max(len(apart) - 1, 1)) / len(gain))
