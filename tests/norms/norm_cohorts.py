"""Made-up healthy subjects whose percentiles are known."""

from __future__ import annotations

import numpy as np

from ienfd.norms.building import NormWanted
from ienfd.norms.cohort import Cohort, Subject

WANTED = NormWanted(
    id="own", title="Own", by="A. Person", stain="bright-field", section_um=50, length_line="surface",
    resamples=100,
)  # fmt: skip
INTERCEPT, SLOPE, WOMEN = 8.0, -0.06, 1.0
"""Of the 5th percentile in the made-up cohorts, per mm."""


def cohort(n: int, *, women: int | None = None, seed: int = 1, slope: float = SLOPE) -> Cohort:
    """Made-up subjects from 20 to 80 years whose 5th percentile is a known line."""
    rng = np.random.default_rng(seed)
    subjects = []
    for number in range(n):
        sex = "F" if number < (n // 2 if women is None else women) else "M"
        age = float(rng.uniform(20, 80))
        over = 1.8 * (float(rng.normal()) + 1.644854)  # 5 % of a normal distribution lie under -1.644854
        subjects.append(Subject(age, sex, max(0.0, INTERCEPT + slope * age + WOMEN * (sex == "F") + over)))
    return Cohort(tuple(subjects), "healthy.csv", "0" * 64)
