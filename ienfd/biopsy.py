"""From the sections of a biopsy to its density and its call; knows nothing of files or the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import fsum, isfinite
from typing import Literal, NamedTuple

from ienfd import norms
from ienfd.errors import UsageError
from ienfd.figures import BiopsyCall, SectionFigures
from ienfd.norms import Norm
from ienfd.protocol import CallRules, Protocol
from ienfd.quality.frame import Specimen, frame_reasons, missing_reasons, unstated_frame
from ienfd.quality.sampling import amount_reasons, consistency_reasons, planes_reasons, planes_unknown
from ienfd.reasons import REASONS
from ienfd.statistics import SETTLE_AT_MOST, dispersed_interval, overdispersion, sections_to_settle

__all__ = ["BiopsyCall", "SectionFigures", "call_biopsy", "call_sentence"]


class _Pool(NamedTuple):
    """The evaluable sections of a biopsy taken together."""

    sections: int
    crossings: int
    length_mm: float
    overdispersion: float
    level: float

    @property
    def density_per_mm(self) -> float:
        return self.crossings / self.length_mm

    def interval(self) -> tuple[float, float]:
        return dispersed_interval(self.crossings, self.length_mm, self.overdispersion, self.level)

    def verdict(self, limit_per_mm: float) -> tuple[bool, Literal["clear", "borderline"]]:
        """Whether the density lies below a limit, and whether that is certain."""
        low, high = self.interval()
        certainty: Literal["clear", "borderline"] = "borderline" if low <= limit_per_mm <= high else "clear"
        return self.density_per_mm < limit_per_mm, certainty


def call_biopsy(
    sections: Sequence[SectionFigures],
    *,
    age_years: float | None,
    sex: str | None,
    site: str | None,
    protocol: Protocol,
    known_norms: Sequence[Norm] | None = None,
    further_reasons: Sequence[str] = (),
) -> BiopsyCall:
    """Pool the sections of one biopsy and call it against the norm that the protocol names.

    Parameters
    ----------
    sections : sequence of SectionFigures
        All its sections. Controls and sections without a density are not pooled.
    age_years : float or None
        Age at collection.
    sex : {"F", "M"} or None
        Sex for the norm.
    site : str or None
        Site in the words of the case table.
    protocol : Protocol
        Names the norms, the least that is asked for, the level of the interval, and the overdispersion
        toward which that of the sections is drawn.
    known_norms : sequence of Norm or None
        The norms to choose from; None for those that come with ienfd.
    further_reasons : sequence of str
        Codes of what else withholds the call and only the study can see, such as an image that stands
        under two biopsies.

    Returns
    -------
    BiopsyCall
        With a call, or with the reasons why it is withheld: never with both, never with neither.

    Raises
    ------
    UsageError
        `unknown_norm` if the protocol names a norm that there is not.

    Notes
    -----
    The density is that of all crossings by all millimeters, so that a long section weighs more; the
    mean of the sections stands beside it. Its interval reckons with an overdispersion (see
    `ienfd.statistics.overdispersion`) and covers sampling only.
    """
    choice = {norm.id: norm for norm in (_built_in() if known_norms is None else known_norms)}
    evaluable = [section for section in sections if _is_evaluable(section)]
    stains = sorted({section.stain for section in evaluable if section.stain})
    specimen = Specimen(
        age_years=age_years,
        sex=sex,
        site=site,
        stain="|".join(stains),
        length_line=evaluable[0].length_line if evaluable else None,
        section_um=tuple(section.section_um for section in evaluable),
    )
    norm = _norm_for(specimen.stain, protocol.call, choice)
    withheld = _withheld(evaluable, specimen, norm, protocol.call)
    reasons = tuple(dict.fromkeys((*withheld, *further_reasons)))
    flags = {
        "planes_unknown": planes_unknown(evaluable),
        "sections_pending": any(section.status == "pending" and not section.control for section in sections),
    }
    call = BiopsyCall(
        len(evaluable),
        norm_id=norm.id if norm else None,
        flags=tuple(code for code, holds in flags.items() if holds),
        withheld_reasons=reasons,
        stain=specimen.stain or None,
    )
    if not evaluable:
        return call
    pool = _pooled(evaluable, protocol)
    low, high = pool.interval()
    call = replace(
        call,
        crossings=pool.crossings,
        evaluable_length_mm=pool.length_mm,
        density_per_mm=pool.density_per_mm,
        mean_section_density_per_mm=fsum(map(_density, evaluable)) / len(evaluable),
        density_low_per_mm=low,
        density_high_per_mm=high,
        overdispersion=pool.overdispersion,
    )
    if reasons or norm is None:
        return call
    fitting = [
        other for other in choice.values() if other.id != norm.id and not frame_reasons(other, specimen)
    ]
    return _called(call, pool, norm, fitting, specimen)


def call_sentence(call: BiopsyCall) -> str:
    """The call in one sentence for a technician, or why it is withheld.

    A borderline call is never worded without that word, and a density that is not below the limit is
    never called normal.
    """
    if call.below_norm is None or call.norm_limit_per_mm is None:
        return "Call withheld: " + " ".join(REASONS[code].text for code in call.withheld_reasons)
    side = "Below" if call.below_norm else "Not below"
    norm = "; ".join(part for part in (call.norm_id, call.norm_caveat) if part)
    sentence = f"{side} the limit of {call.norm_limit_per_mm:.2f} /mm ({norm})"
    if call.certainty == "borderline":
        sentence += f", borderline: {_settling(call.sections_to_settle)}"
    if "norms_disagree" in call.flags:
        sentence += f"; other norms: {', '.join(call.other_norms)}"
    return f"{sentence}."


def _built_in() -> list[Norm]:
    return [norms.load(norm_id) for norm_id in norms.available()]


def _is_evaluable(section: SectionFigures) -> bool:
    """Whether a section has a density and belongs to the biopsy; a control does not."""
    if section.control or section.status != "ok" or section.crossings is None or section.evaluable_mm is None:
        return False
    return section.crossings >= 0 and isfinite(section.evaluable_mm) and section.evaluable_mm > 0


def _density(section: SectionFigures) -> float:
    """Density per mm of an evaluable section."""
    return (section.crossings or 0) / (section.evaluable_mm or 1.0)


def _pooled(evaluable: Sequence[SectionFigures], protocol: Protocol) -> _Pool:
    counts = [section.crossings or 0 for section in evaluable]
    lengths_mm = [section.evaluable_mm or 0.0 for section in evaluable]
    rules = protocol.call
    return _Pool(
        sections=len(evaluable),
        crossings=sum(counts),
        length_mm=fsum(lengths_mm),
        overdispersion=overdispersion(counts, lengths_mm, rules.overdispersion, rules.overdispersion_weight),
        level=protocol.density.interval_level,
    )


def _norm_for(stain: str, rules: CallRules, choice: Mapping[str, Norm]) -> Norm | None:
    """The norm that the protocol names for a stain; None where it names none."""
    named = {"bright-field": rules.norm_bright_field, "fluorescence": rules.norm_fluorescence}.get(stain, "")
    if named and named not in choice:
        raise UsageError("unknown_norm", f"{named!r}; there are {', '.join(choice) or 'none'}")
    return choice[named] if named else None


def _withheld(
    evaluable: Sequence[SectionFigures], specimen: Specimen, norm: Norm | None, rules: CallRules
) -> tuple[str, ...]:
    """Every reason to withhold the call, each once, so that all can be put right in one go."""
    stain = {
        "stain_missing": any(not section.stain for section in evaluable),
        "no_norm": norm is None and bool(specimen.stain) and "|" not in specimen.stain,
    }
    reasons = (
        *amount_reasons(evaluable, rules),
        *missing_reasons(specimen),
        *(code for code, holds in stain.items() if holds),
        *(frame_reasons(norm, specimen) if norm else ()),
        *consistency_reasons(evaluable),
        *planes_reasons(evaluable),
    )
    return tuple(dict.fromkeys(reasons))


def _called(
    call: BiopsyCall, pool: _Pool, norm: Norm, fitting: Sequence[Norm], specimen: Specimen
) -> BiopsyCall:
    """The call against a norm inside whose frame the biopsy lies, beside what the others say."""
    age, sex = specimen.age_years, specimen.sex
    if age is None or sex is None:
        raise ValueError("a biopsy without age or sex cannot be called")
    limit = norm.limit_per_mm(age, sex)
    below, certainty = pool.verdict(limit)
    verdicts = {other: pool.verdict(other.limit_per_mm(age, sex)) for other in fitting}
    flags = {
        "borderline": certainty == "borderline",
        "norms_disagree": any(verdict[0] != below for verdict in verdicts.values()),
        "norm_frame_unstated": unstated_frame(norm),
        "norm_percentile_unstated": norm.percentile is None,
        "norm_provisional": norm.provisional,
    }
    densities = (pool.density_per_mm, *pool.interval())
    percentiles = [norm.percentile_of(density, age, sex) for density in densities]
    return replace(
        call,
        norm_limit_per_mm=limit,
        below_norm=below,
        certainty=certainty,
        sections_to_settle=_sections_to_settle(pool, limit) if certainty == "borderline" else None,
        other_norms=tuple(
            _beside(other.id, other.limit_per_mm(age, sex), *verdict) for other, verdict in verdicts.items()
        ),
        flags=(*call.flags, *(code for code, holds in flags.items() if holds)),
        norm_caveat=norm.caveat,
        norm_percentile=percentiles[0],
        norm_percentile_low=percentiles[1],
        norm_percentile_high=percentiles[2],
    )


def _sections_to_settle(pool: _Pool, limit_per_mm: float) -> str:
    further = sections_to_settle(
        pool.crossings, pool.length_mm, pool.sections, limit_per_mm, pool.level, pool.overdispersion
    )
    return f">{SETTLE_AT_MOST}" if further is None else str(further)


def _beside(norm_id: str, limit_per_mm: float, below: bool, certainty: str) -> str:
    """What another norm says, for example `bursova2012=5.2:not below, borderline`."""
    side = "below" if below else "not below"
    return f"{norm_id}={round(limit_per_mm, 4):g}:{side}{', borderline' if certainty == 'borderline' else ''}"


def _settling(sections: str | None) -> str:
    if sections == f">{SETTLE_AT_MOST}":
        return f"it would take more than {SETTLE_AT_MOST} further sections to settle it"
    return f"about {sections} more {'section' if sections == '1' else 'sections'} would settle it"
