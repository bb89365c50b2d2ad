"""`ienfd run` on the sections, and its tables against the truth."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from benchmarks.accuracy.images import image_path, truth_path
from benchmarks.accuracy.plan import PlannedSection
from benchmarks.accuracy.truth import FloatArray, TrueSection, read_true_section
from benchmarks.scoring import SectionScore, match, refused_score, score_section
from ienfd.learning.decisions import MATTERS_OF_CONFIDENCE
from ienfd.study.store import Store

__all__ = ["Measured", "analyze_images", "found_junctions", "measure", "read_table"]

_EXIT_SOME_FAILED = 3


@dataclass(frozen=True, eq=False)
class Measured:
    """One section with what became of it.

    Parameters
    ----------
    section : PlannedSection
        Which one.
    truth : TrueSection
        What is in it.
    score : SectionScore
        How far ienfd found it.
    matched_of_seen : int
        How many of the matched crossings a reader could be sure of.
    reason : str
        Why it is not `ok`; empty if it is.
    density_per_mm : float
        As given; NaN if none is.
    evaluable_mm : float
        Length that it was counted on; 0 if none is given.
    candidates_px, confidence : (N, 2), (N,) ndarray of float
        What crosses, or would if it were not too faint, and how sure that is said to be.
    overlay : Path or None
        Its picture.
    """

    section: PlannedSection
    truth: TrueSection
    score: SectionScore
    matched_of_seen: int
    reason: str
    density_per_mm: float
    evaluable_mm: float = 0.0
    candidates_px: FloatArray = field(default_factory=lambda: np.empty((0, 2)))
    confidence: FloatArray = field(default_factory=lambda: np.empty(0))
    overlay: Path | None = None

    @property
    def at_best(self) -> Measured:
        """The section as a reader would count it who finds all that shows and nothing else."""
        seen = self.truth.seen
        score = SectionScore(
            self.score.name, self.score.stain, "ok", int(seen.sum()), 0, int((~seen).sum()), 0.0, 0.0, 0.0
        )
        length_mm = self.truth.surface_mm
        density_per_mm = score.matched / length_mm
        return Measured(self.section, self.truth, score, score.matched, "", density_per_mm, length_mm)

    @property
    def of_seen(self) -> Measured:
        """The section of which only crossings are asked for that a reader could be sure of.

        The others are neither missed nor spurious, and belong to neither density. What the confidence says
        of candidates is not asked.
        """
        seen = self.truth.seen
        score = replace(
            self.score, matched=self.matched_of_seen, missed=int(seen.sum()) - self.matched_of_seen
        )
        has_density = np.isfinite(self.density_per_mm)
        return replace(
            self,
            truth=replace(self.truth, crossings_px=self.truth.crossings_px[seen], seen=seen[seen]),
            score=score,
            density_per_mm=score.counted_crossings / self.evaluable_mm if has_density else np.nan,
            candidates_px=np.empty((0, 2)),
            confidence=np.empty(0),
        )


def analyze_images(images: Path, study: Path, workers: int) -> None:
    """Run ienfd as a user does: a process of its own.

    Raises
    ------
    RuntimeError
        If it ends otherwise than after all sections.
    """
    command = [sys.executable, "-m", "ienfd", "run", str(images), "--out", str(study)]
    command += ["--workers", str(workers), "--progress", "none"]
    done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
    if done.returncode not in (0, _EXIT_SOME_FAILED):
        raise RuntimeError(f"ienfd run ended with {done.returncode}")


def measure(out: Path, sections: Sequence[PlannedSection]) -> list[Measured]:
    """Every section against its truth.

    Raises
    ------
    RuntimeError
        If a section has no row in sections.csv.
    """
    study = out / "study"
    rows = {row["file"]: row for row in read_table(study / "sections.csv")}
    crossings: dict[str, list[dict[str, str]]] = {}
    for row in read_table(study / "crossings.csv"):
        crossings.setdefault(row["section_id"], []).append(row)
    junctions = found_junctions(study)
    measured = []
    for section in sections:
        file = image_path(out, section).name
        if file not in rows:
            raise RuntimeError(f"{file} has no row in sections.csv")
        truth = read_true_section(truth_path(out, section), section.generator)
        row = rows[file]
        found = crossings.get(row["section_id"], [])
        one = _measured(section, truth, row, found, junctions.get(file, ()))
        measured.append(replace(one, overlay=study / row["overlay"]) if row.get("overlay") else one)
    return measured


def _measured(
    section: PlannedSection,
    truth: TrueSection,
    row: dict[str, str],
    crossings: Sequence[dict[str, str]],
    junctions: Sequence[FloatArray],
) -> Measured:
    status = row["status"]
    if status != "ok":
        score = refused_score(section.name, section.stain, status, len(truth.crossings_px))
        return Measured(section, truth, score, 0, row["reason"], np.nan)
    found = _places([each for each in crossings if each["counted"] == "true"])
    if len(found) != int(row["crossings"]):
        raise RuntimeError(f"{row['file']}: the tables disagree on the number of crossings")
    score = score_section(
        section.name,
        section.stain,
        truth.crossings_px,
        found,
        truth.pixel_size_um,
        junctions_px=(truth.junctions_px, junctions),
        junction_mm=(truth.junction_mm, float(row["junction_length_mm"])),
        surface_mm=(truth.surface_mm, float(row["surface_length_mm"])),
    )
    pairs = match(truth.crossings_px, found, truth.pixel_size_um)
    of_seen = sum(bool(truth.seen[true]) for true, _ in pairs)
    sure = [each for each in crossings if each["reason"] in MATTERS_OF_CONFIDENCE]
    confidence = np.array([float(each["confidence"]) for each in sure])
    density, evaluable_mm = float(row["density_per_mm"]), float(row["evaluable_length_mm"])
    return Measured(section, truth, score, of_seen, "", density, evaluable_mm, _places(sure), confidence)


def _places(crossings: Sequence[dict[str, str]]) -> FloatArray:
    places = [(float(row["row_px"]), float(row["col_px"])) for row in crossings]
    return np.array(places, dtype=np.float64).reshape(-1, 2)


def read_table(path: Path) -> list[dict[str, str]]:
    """The rows of a table of a study."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def found_junctions(study: Path) -> dict[str, tuple[FloatArray, ...]]:
    """The junctions that were found, by file; the tables do not hold them.

    Raises
    ------
    RuntimeError
        If anybody has corrected the study: it no longer shows what the program found.
    """
    with Store(study) as store:
        if store.edits():
            raise RuntimeError(
                f"{study} holds corrections: what is measured is what the program counts alone"
            )
        return {
            row.path: tuple(piece.junction_px for piece in store.findings(row.analysis_id).pieces)
            for row in store.placements()
            if row.analysis_id is not None
        }
