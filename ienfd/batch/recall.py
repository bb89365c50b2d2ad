"""Calling a whole study by another norm: neither an image is looked at nor a fiber counted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ienfd.batch.collect import collect
from ienfd.batch.engine import Engine
from ienfd.batch.files import study_log
from ienfd.batch.norms import norm_of
from ienfd.batch.report import RunReport
from ienfd.errors import UsageError
from ienfd.norms import Norm
from ienfd.study.recall import Recalled
from ienfd.study.store import Store

__all__ = ["recall_study"]

_NAMED = 5


def recall_study(
    folder: Path, norm_id: str, *, stain: str | None = None, engine: Engine | None = None
) -> RunReport:
    """Call everything in a study that is not signed by a norm, and write its tables anew.

    Parameters
    ----------
    folder : Path
        The study.
    norm_id : str
        A norm that the study has kept, that comes with ienfd, or of the laboratory.
    stain : {"bright-field", "fluorescence"} or None
        What the norm is meant for, as a check; its own stain decides.
    engine : Engine, optional
        Who draws overlays of what was corrected; the program's own when it is not given.

    Returns
    -------
    RunReport
        What the study holds now.

    Raises
    ------
    UsageError
        If there is no such norm, it is for another stain, or the study was called by another norm of
        its id.
    EnvironmentProblem
        If the study cannot be written.
    """
    with Store(folder) as store, study_log(folder) as logger:
        norm, text = norm_of(store, norm_id)
        if stain not in (None, norm.stain):
            raise UsageError("option_invalid", f"{norm.id} is for {norm.stain}, not for {stain}")
        done = store.recall(norm, text)
        logger.info("recall: %s sections by %s (%s)", done.rows, norm.id, norm.sha256)
        report = collect(store, engine)
    return replace(report, warnings=(*_said(done, norm), *report.warnings))


def _said(done: Recalled, norm: Norm) -> list[str]:
    said = []
    if done.rows:
        said.append(f"the next run calls by the norm of its own protocol: name {norm.id} in it")
    if done.signed:
        names = [f"{case_id}, {biopsy_id}" for case_id, biopsy_id in done.signed[:_NAMED]]
        more = f" and {len(done.signed) - _NAMED} more" if len(done.signed) > _NAMED else ""
        said.append(f"what is signed keeps its norm: {'; '.join(names)}{more}")
    if done.pending:
        said.append(f"sections that await their analysis keep the protocol of their run: {done.pending}")
    return said
