"""A confidence learned from decisions: what it keeps, what it gains, and when it is worth nothing."""

from __future__ import annotations

from dataclasses import astuple, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from ienfd.counting.evidence import Evidence, Side, weights_of
from ienfd.geometry import FloatArray
from ienfd.learning.confidence import learn, learned
from ienfd.learning.decisions import Decisions, together
from ienfd.protocol import ConfidenceModel

USUAL = ConfidenceModel()
SHIFTED = ConfidenceModel("a dim stain", intercept=1.5, per_log_contrast=2.0)


def candidates(seed: int, count: int = 600) -> FloatArray:
    """Features such as sections have them."""
    rng = np.random.default_rng(seed)
    sides = rng.uniform(1.0, 15.0, (count, 2))
    rows = [
        Evidence(
            Side(30.0, float(contrast), gap_um=float(gap), width_um=float(width), away_um=float(above)),
            Side(30.0, float(contrast), width_um=float(width), away_um=float(below)),
            float(trust),
        ).features
        for (above, below), contrast, width, trust, gap in zip(
            sides, rng.uniform(3.0, 16.0, count), rng.uniform(1.2, 3.5, count), rng.uniform(0.3, 1.0, count),
            np.where(rng.random(count) < 0.1, rng.uniform(0.0, 20.0, count), 0.0),
            strict=True,
        )
    ]  # fmt: skip
    return np.array(rows)


def decided(model: ConfidenceModel, seed: int, patients: int = 30) -> Decisions:
    """Candidates that people count as often as a model says."""
    features = candidates(seed)
    chance = expit(features @ np.array(weights_of(model)))
    rng = np.random.default_rng(seed + 1)
    group = np.array([f"C{number % patients}" for number in range(len(features))])
    return Decisions(features, rng.random(len(features)) < chance, group, 0, patients)


def test_a_weight_is_there_for_every_feature_and_the_built_in_ones_are_what_they_were() -> None:
    side = Side(30.0, 8.0, width_um=2.2, away_um=10.0)
    reference = Evidence(side, side, 0.8)
    assert len(weights_of(USUAL)) == len(reference.features) == len(astuple(USUAL)) - 1
    assert reference.confidence == pytest.approx(float(expit(0.2)))
    far = Side(30.0, 16.0, width_um=1.5, away_um=15.0)
    assert Evidence(far, far, 1.0).confidence > 0.95
    hidden = Evidence(replace(far, gap_um=15.0), far, 1.0)
    assert hidden.confidence < Evidence(far, far, 1.0).confidence
    assert hidden.features[-1] == 15.0
    assert Evidence(replace(far, gap_um=50.0), far, 1.0).features[-1] == 20.0


def test_without_decisions_nothing_is_learned() -> None:
    assert learn(np.empty((0, 9)), np.empty(0, bool), USUAL) == pytest.approx(np.array(weights_of(USUAL)))


def test_what_people_decide_otherwise_is_learned() -> None:
    done = learned(decided(SHIFTED, 1), USUAL, 0.5, "us")
    assert done.is_better
    assert done.after.log_loss < done.before.log_loss - 0.1
    assert done.after.calibration_error < 0.06 < done.before.calibration_error
    assert done.after.f1 > done.before.f1
    assert done.model.learned_from == "us"
    assert done.model.intercept > USUAL.intercept + 0.5


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(10, 99))
def test_where_people_decide_as_expected_little_is_lost(seed: int) -> None:
    done = learned(decided(USUAL, seed), USUAL, 0.5, "us")
    assert done.after.log_loss < done.before.log_loss + 0.02


def test_chance_is_not_taken_for_a_gain() -> None:
    better = [learned(decided(USUAL, 1000 + seed), USUAL, 0.5, "us").is_better for seed in range(20)]
    assert sum(better) <= 3


def test_more_contrast_never_makes_a_candidate_less_sure() -> None:
    features = candidates(3)
    contrary = features[:, 1] < 0  # only what is faint counts
    weights = learn(features, contrary, USUAL)
    signs = np.sign(np.array(weights_of(USUAL)))
    assert (weights[1:] * signs[1:] >= 0).all()
    assert weights[1] == pytest.approx(0.0, abs=1e-6)


def test_a_patient_is_never_told_by_a_model_that_has_seen_him() -> None:
    """Every patient decides by a rule of his own: what is learned from others is worth nothing."""
    features = candidates(4, 400)
    group = np.array([f"C{number // 20}" for number in range(400)])
    fair = np.random.default_rng(5).random(20) < 0.5
    done = learned(Decisions(features, np.repeat(fair, 20), group, 0, 20), USUAL, 0.5, "us")
    assert done.after.log_loss > 0.6


def test_it_does_not_matter_in_which_order_sections_come() -> None:
    one = decided(SHIFTED, 6)
    parts = [
        Decisions(one.features[one.group == name], one.counted[one.group == name],
                  one.group[one.group == name], 0, 1)
        for name in np.unique(one.group)
    ]  # fmt: skip
    ahead, back = (learned(together(order), USUAL, 0.5, "us") for order in (parts, parts[::-1]))
    assert ahead.model == back.model
    assert astuple(ahead.after) == pytest.approx(astuple(back.after))


def test_what_people_added_is_missed_by_any_confidence() -> None:
    one = decided(USUAL, 7)
    more = Decisions(one.features, one.counted, one.group, int(one.counted.sum()), one.sections)
    assert learned(more, USUAL, 0.5, "").before.recall == pytest.approx(
        learned(one, USUAL, 0.5, "").before.recall / 2
    )
