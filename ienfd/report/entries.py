"""A section with its result, a biopsy with its call: what the rows of the tables are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ienfd.correction.correct import Corrected
from ienfd.figures import BiopsyCall, SectionFigures
from ienfd.norms import Norm
from ienfd.protocol import Protocol
from ienfd.reasons import REASONS
from ienfd.result import SectionResult
from ienfd.study.records import BiopsyRecord, Placement
from ienfd.study.validated import Validated

__all__ = ["BiopsyEntry", "BiopsyKey", "BiopsyStatus", "SectionEntry"]

BiopsyKey = tuple[str, ...]
BiopsyStatus = Literal["preliminary", "final", "amended", "withdrawn"]


@dataclass(frozen=True, eq=False)
class SectionEntry:
    """One section of one file as it stands now.

    Parameters
    ----------
    placement : Placement
        Its row in the store.
    corrected : Corrected or None
        What was counted, with all corrections; None when it failed or awaits that.
    same_tissue : tuple of (str, str)
        Image folder and path of the files of its case that show the same tissue.
    """

    placement: Placement
    corrected: Corrected | None = None
    same_tissue: tuple[tuple[str, str], ...] = ()

    @property
    def result(self) -> SectionResult | None:
        """What was counted, with all corrections."""
        return self.corrected.result if self.corrected else None

    @property
    def case(self) -> Mapping[str, Any]:
        """What the case table says of it."""
        return self.placement.case

    @property
    def control(self) -> str | None:
        """Whether it is a `positive` or `negative` control."""
        return self.case.get("control")

    @property
    def staining_run(self) -> str | None:
        """The run in which it was stained, where the case table names one."""
        return self.case.get("staining_run")

    @property
    def listed(self) -> bool:
        """Whether a person said whose it is; else it is a biopsy of its own."""
        return bool(self.case.get("case_id"))

    @property
    def status(self) -> str:
        """`ok`, `refused`, `failed` or `pending`; a negative control is checked, not counted."""
        if self.placement.status == "failed":
            return "failed"
        if self.result is None:
            return "pending"
        return "refused" if self.control == "negative" else self.result.status.value

    @property
    def reason(self) -> str | None:
        """Code of why it is not ok."""
        if self.placement.status == "failed":
            return self.placement.reason
        if self.result is None or self.result.reason is not None:
            return self.result.reason if self.result else None
        return "negative_control" if self.control == "negative" else None

    @property
    def reason_text(self) -> str:
        """That in a sentence, with the particulars."""
        if self.reason is None:
            return ""
        text = REASONS[self.reason].text if self.reason in REASONS else self.reason
        detail = self.placement.detail
        if self.result is not None and self.result.findings.refusal == self.reason:
            detail = self.result.findings.detail
        return f"{text} ({detail})" if detail else text

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return REASONS[self.reason].remedy if self.reason in REASONS else ""

    @property
    def flags(self) -> tuple[str, ...]:
        """Quality flags."""
        flags = self.result.flags if self.result else ()
        if self.corrected is not None and self.corrected.unmatched:
            flags = (*flags, "edits_unmatched")
        if self.same_tissue:
            flags = (*flags, "same_tissue")
        return (*flags, "control_section") if self.control else flags

    @property
    def fingerprint(self) -> str:
        """What its tissue is recognized by in another image."""
        return self.result.findings.fingerprint if self.result else ""

    @property
    def biopsy(self) -> BiopsyKey:
        """What tells its biopsy from all others; files that nothing is said of share none."""
        place = self.placement
        if self.listed:
            return "case table", place.case_id, place.biopsy_id
        return "file", place.root, place.path

    def figures(self) -> SectionFigures:
        """What it contributes to its biopsy."""
        result = self.result if self.status == "ok" else None
        lengths = result.lengths if result else None
        return SectionFigures(
            section_id=self.placement.section_id or "",
            status=self.status,
            crossings=result.count if result else None,
            evaluable_mm=lengths.evaluable_mm if lengths else None,
            density_per_mm=result.density_per_mm if result else None,
            length_line=lengths.line if lengths else None,
            stain=result.findings.stain if result else None,
            pixel_size_um=self.placement.calibration.get("pixel_size_um"),
            section_um=self.case.get("section_um"),
            planes=self.case.get("planes"),
            file_planes=self.placement.facts.planes,
            sha256=self.placement.sha256,
            control=self.control,
            fingerprint=self.fingerprint if result else "",
        )


@dataclass(frozen=True, eq=False)
class BiopsyEntry:
    """One biopsy as it stands now.

    Parameters
    ----------
    record : BiopsyRecord
        Whose it is.
    sections : tuple of SectionEntry
        Its sections, controls left out.
    protocol : Protocol
        The choices that it is called under.
    call : BiopsyCall
        Its density and call.
    status : {"preliminary", "final", "amended", "withdrawn"}
        Whether and how it is signed.
    norms : tuple of Norm
        The norms that its study calls by.
    protocol_hash : str
        Hash of the protocol as it was stored: one of an earlier version lacks what is new in this one.
    validated : Validated or None
        What the laboratory has validated, as the study or the signature knows it.
    of_study : tuple of str
        Codes of what only the study can see: what withholds the call, or must be said beside it.
    controls : tuple of (str, str)
        Kind and outcome of each control of the staining runs of its sections.
    """

    record: BiopsyRecord
    sections: tuple[SectionEntry, ...]
    protocol: Protocol
    call: BiopsyCall
    status: BiopsyStatus = "preliminary"
    norms: tuple[Norm, ...] = ()
    protocol_hash: str = ""
    validated: Validated | None = None
    of_study: tuple[str, ...] = ()
    controls: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """Case and biopsy, each said once."""
        case_id, biopsy_id = self.record.case_id, self.record.biopsy_id
        return biopsy_id if biopsy_id.startswith(case_id) else f"{case_id}, {biopsy_id}"
