"""The data dictionary: every column of every table, with its meaning, unit, type and digits.

The tables are written from these definitions, so that a header without a meaning cannot exist. The
first columns of each table are a contract with other programs: none is renamed or moved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = [
    "BIOPSIES", "CONTROLS", "COURSE", "CROSSINGS", "DICTIONARY", "QUALITY_FIGURES", "RULES", "SECTIONS",
    "Column",
]  # fmt: skip

_DECIMALS = 6  # of mm and /mm: enough to compute every density again from its row

Kind = Literal["text", "code", "list of codes", "list", "integer", "number", "true/false", "date"]


@dataclass(frozen=True)
class Column:
    """One column.

    Parameters
    ----------
    name : str
        Its header.
    meaning : str
        What it says, for a person.
    type : str
        What its cells are. Text cells that a spreadsheet would run as a formula begin with `'`.
    unit : str
        Unit of a number.
    digits : int or None
        Decimals of a number; None where it is written as short as it can be.
    """

    name: str
    meaning: str
    type: Kind = "text"
    unit: str = ""
    digits: int | None = None

    @property
    def form(self) -> str:
        """How its numbers are written."""
        if self.type != "number":
            return ""
        return "up to 6 significant digits" if self.digits is None else f"{self.digits} decimals"


def _number(name: str, unit: str, digits: int | None, meaning: str) -> Column:
    return Column(name, meaning, "number", unit, digits)


def _density(name: str, meaning: str) -> Column:
    return _number(name, "/mm", _DECIMALS, meaning)


def _length(name: str, meaning: str) -> Column:
    return _number(name, "mm", _DECIMALS, meaning)


_PROTOCOL = (
    Column("protocol_id", "Name of the protocol."),
    Column("protocol_hash", "SHA-256 of all values of the protocol; its name is left out."),
)

_SAMPLING = "Poisson, widened by the overdispersion; covers sampling only, not errors of counting."

_QUALITY = (
    _number("saturated_fraction", "1", None, "Share of the tissue at the end of the scale, 0 to 1."),
    _number(
        "thin_fiber_width_um", "um", None, "Apparent caliber of the thinner fibers: 0.5 to 1.5 in focus."
    ),
    _number(
        "detail_ratio",
        "1",
        3,
        "Focus: contrast at 1 um by contrast at 4 um, noise taken off; about 0.9 in focus.",
    ),
    _number("noise_ratio", "1", 3, "Noise of a pixel by the height of a clear fiber."),
    _number(
        "nerve_contrast",
        "1",
        3,
        "Height of a clear fiber: optical density in bright-field, in fluorescence the share of the light"
        " round about.",
    ),
    _number(
        "clear_fibers_um_per_mm", "um/mm", 1, "Clear fibers, dermis included, by length of the junction."
    ),
    _number("fold_fraction", "1", 3, "Share of the surface at which tissue seems to lie double, 0 to 1."),
    _number("epidermis_um", "um", 1, "Median thickness of the epidermis: too much in an oblique cut."),
    _number(
        "unread_fraction",
        "1",
        3,
        "Share of what seems to be surface of the skin along which no epidermis was found, 0 to 1.",
    ),
)
_OF_A_RUN = ("saturated_fraction", "detail_ratio", "noise_ratio", "nerve_contrast", "clear_fibers_um_per_mm")
QUALITY_FIGURES = tuple(column.name for column in _QUALITY)
"""Figures that the checks of an image give, as they are named among the measures of a section."""

SECTIONS: tuple[Column, ...] = (
    Column("section_id", "Section: UUID made of content, scene and region of the file."),
    Column("file", "File relative to the image folder."),
    Column("scene", "Image inside the file, from 0.", "integer"),
    Column("region", "Part of the image when it is split into several sections; 0 otherwise.", "integer"),
    Column("case_id", "Case of the patient; the file where no case table speaks of it."),
    Column("biopsy_id", "Biopsy within the case; the file where no case table speaks of it."),
    Column("stain", "bright-field or fluorescence.", "code"),
    Column("planes", "Focal planes in the file.", "integer"),
    _number("pixel_size_um", "um", None, "Edge of a pixel at full resolution."),
    Column(
        "pixel_size_source",
        "Where it comes from: ome, imagej, tiff-resolution, aperio, cases or option.",
        "code",
    ),
    Column(
        "status",
        "ok: a density is given; refused: it was read, but none can honestly be given;"
        " failed: it could not be read; pending: it has not been analyzed yet.",
        "code",
    ),
    Column("reason", "Why it is not ok.", "code"),
    Column("reason_text", "The same in a sentence, with the particulars."),
    Column("remedy", "What to do about it."),
    Column("crossings", "Counted crossings; empty unless ok.", "integer"),
    _length("surface_length_mm", "Boundary of viable epidermis and corneum, smoothed at 15 um."),
    _length("junction_length_mm", "Dermal-epidermal junction, smoothed at 5 um."),
    _length("chord_length_mm", "Surface smoothed at 200 um."),
    Column("length_line", "The line of the density: surface, junction or chord.", "code"),
    _length("excluded_length_mm", "Length on that line that is not evaluated."),
    _length("evaluable_length_mm", "Length on that line that is evaluated."),
    _density("density_per_mm", "Crossings by evaluable length."),
    _density("density_low_per_mm", "Lower end of its exact Poisson interval."),
    _density("density_high_per_mm", "Upper end of its exact Poisson interval."),
    Column("fragments", "Pieces of nerve inside the epidermis that are not seen to cross.", "integer"),
    Column("approaching", "Fibers that come up to the junction without visibly crossing.", "integer"),
    Column("dendritic_cells", "Dendritic cells found.", "integer"),
    _number("junction_confidence", "1", 3, "Mean confidence of the junction along its length, 0 to 1."),
    Column("quality_flags", "What should be known of its quality.", "list of codes"),
    *_PROTOCOL,
    Column("algorithm_version", "Version of the image analysis."),
    Column("edits", "Corrections made in the review.", "integer"),
    Column("review_status", "unreviewed, or how far the review has come.", "code"),
    Column("control", "positive or negative: a control, which belongs to no biopsy.", "code"),
    _number("section_um", "um", None, "Thickness of the section, as the case table gives it."),
    Column("planes_stated", "single, stack or projection, as the case table gives it.", "code"),
    Column("candidates", "All candidate crossings, counted or not.", "integer"),
    Column("exclusion_reasons", "Why stretches of the junction are not evaluated.", "list of codes"),
    Column("overlay", "Its picture, relative to the study folder; empty where there is none."),
    _number("epidermis_mm2", "mm2", 6, "Area of the viable epidermis, as it was found."),
    _number("dendritic_cells_per_mm2", "/mm2", 1, "Dendritic cells by that area; they are never fibers."),
    *_QUALITY,
    Column("same_tissue_as", "Files of its case that show the same tissue.", "list"),
    Column("staining_run", "Staining run, as the case table gives it: its controls speak for it."),
)

CROSSINGS: tuple[Column, ...] = (
    Column("section_id", "Section, as in sections.csv."),
    Column("crossing_id", "Candidate crossing: UUID, the same in every run."),
    Column("fiber_id", "Fiber: UUID; several crossings may be of one fiber."),
    Column("piece", "Uninterrupted stretch of epidermis, from 0.", "integer"),
    _number("row_px", "px", 2, "Row in the full-resolution image; 0 is the center of the first pixel."),
    _number("col_px", "px", 2, "Column in the full-resolution image; 0 is the center of the first pixel."),
    _number("z_um", "um", 2, "Depth, where a stack tells it."),
    _number("junction_position_um", "um", 2, "Position along the junction, with the epidermis on the left."),
    Column("counted", "Whether it is part of the density.", "true/false"),
    Column("reason", "Why it was counted, or why not.", "code"),
    Column("reason_text", "The same in a sentence."),
    _number("confidence", "1", 3, "How sure it is that a fiber crosses here, 0 to 1."),
    Column("origin", "automatic or manual.", "code"),
    Column("number", "Its number in the overlay; only counted crossings have one.", "integer"),
    _number("reach_epidermis_um", "um", 2, "How far the fiber is seen above the junction."),
    _number("reach_dermis_um", "um", 2, "How far the fiber is seen below the junction."),
    _number("contrast", "1", 2, "Mean contrast near the junction, in units of the local noise."),
)

BIOPSIES: tuple[Column, ...] = (
    Column("case_id", "Case of the patient; the file where no case table speaks of it."),
    Column("biopsy_id", "Biopsy within the case; the file where no case table speaks of it."),
    Column("site", "distal_leg, thigh, foot or other.", "code"),
    Column("side", "left or right, as the case table gives it."),
    Column("collection_date", "When it was taken.", "date"),
    _number("age_years", "a", None, "Age of the patient when it was taken."),
    Column("sex", "Sex used for the norm: F or M.", "code"),
    Column("stain", "Stain of its evaluable sections.", "list of codes"),
    Column("sections_evaluable", "Sections with a density.", "integer"),
    Column("crossings", "Counted crossings of all of them.", "integer"),
    _length("evaluable_length_mm", "Evaluable epidermis of all of them."),
    _density("density_per_mm", "All crossings by all evaluable length."),
    _density("mean_section_density_per_mm", "Mean of the densities of the sections."),
    _density("density_low_per_mm", f"Lower end of the interval of density_per_mm. {_SAMPLING}"),
    _density("density_high_per_mm", f"Upper end of the interval of density_per_mm. {_SAMPLING}"),
    Column("norm_id", "The norm that the protocol names for this stain.", "code"),
    _density("norm_limit_per_mm", "Its limit for this age and sex."),
    Column(
        "below_norm",
        "Whether the density, unrounded, is below the limit; empty when the call is withheld."
        " false means not below the limit, which is not the same as normal.",
        "true/false",
    ),
    Column("certainty", "clear, or borderline: the interval includes the limit.", "code"),
    Column("sections_to_settle", "Further sections that would settle a borderline call: 1 to 20, or >20."),
    Column("other_norms", "What further norms say whose frame fits.", "list"),
    Column("flags", "What must be said beside the call.", "list of codes"),
    Column("withheld_reasons", "Why there is no call.", "list of codes"),
    Column("status", "preliminary, final, amended or withdrawn.", "code"),
    Column("sections", "All its sections, evaluable or not; controls are left out.", "integer"),
    Column("length_line", "The line of the lengths: surface, junction or chord.", "list of codes"),
    Column("call", "The call in a sentence, or why it is withheld."),
    Column("patient_id", "Patient, for the follow-up of several cases."),
    *_PROTOCOL,
    _number(
        "overdispersion",
        "1",
        3,
        "Variance of the count by its mean that the interval reckons with, 1 or more: as its sections vary,"
        " drawn toward the value of the protocol.",
    ),
    Column(
        "norm_percentile",
        "Percentile of the norm's healthy persons of this age and sex where the density lies, interpolated;"
        " < or > beyond those that the norm states. Empty where it states no distribution.",
    ),
    Column("norm_percentile_low", "The same of the lower end of the interval of the density."),
    Column("norm_percentile_high", "The same of its upper end; the norm's own uncertainty is in neither."),
)

_CHANGE = "both samplings, and how far two readings of the same sections lie apart"

COURSE: tuple[Column, ...] = (
    Column("patient_id", "Patient; empty where the biopsies are known to be one patient's by their case."),
    Column("site", "Site of both biopsies: distal_leg, thigh, foot or other.", "code"),
    Column("side", "Side of both, as the case table gives it."),
    Column("basis", "The earlier biopsy is the previous one, the first, or both.", "list of codes"),
    Column("earlier_case_id", "Case of the earlier biopsy."),
    Column("earlier_biopsy_id", "The earlier biopsy."),
    Column("earlier_date", "When it was taken.", "date"),
    _density("earlier_density_per_mm", "Its density."),
    Column("later_case_id", "Case of the later biopsy."),
    Column("later_biopsy_id", "The later biopsy."),
    Column("later_date", "When it was taken.", "date"),
    _density("later_density_per_mm", "Its density."),
    _number("apart_years", "a", 2, "Time between them."),
    _density("change_per_mm", "Later density less the earlier one; empty where they are not compared."),
    _density("change_low_per_mm", f"Lower end of its interval, which holds {_CHANGE}."),
    _density("change_high_per_mm", f"Upper end of its interval, which holds {_CHANGE}."),
    _density("reading_noise_per_mm", "Root mean square difference of two readings that it reckons with."),
    Column(
        "verdict",
        "larger: the change is larger than sampling and reading noise explain; within: it is not."
        " It says nothing of a cause.",
        "code",
    ),
    Column("not_compared_reasons", "Why they are not compared.", "list of codes"),
    Column("sentence", "The same in a sentence."),
)

RULES: tuple[Column, ...] = (
    *SECTIONS[:6],
    Column(
        "rule",
        "protocol: as the protocol counts; else the one option that is different from it, or fewest and most:"
        " all options about branches, re-entry and fragments the way that counts least and most.",
    ),
    Column("length_line", "The line of the density: surface, junction or chord.", "code"),
    Column("is_protocol", "Whether rule and line are those of the protocol.", "true/false"),
    Column("crossings", "Crossings that count by this rule.", "integer"),
    _length("evaluable_length_mm", "Length on this line that is evaluated by this rule."),
    _density("density_per_mm", "Crossings by evaluable length."),
    _number("ratio_to_protocol", "1", 3, "This density by that of the protocol; empty where that is 0."),
    *_PROTOCOL,
)

CONTROLS: tuple[Column, ...] = (
    Column("staining_run", "Staining run, as the case table gives it; empty: it names none."),
    Column("section_id", "Section, as in sections.csv."),
    Column("file", "File relative to the image folder."),
    Column("scene", "Image inside the file, from 0.", "integer"),
    Column("case_id", "Case that the control is listed under; it belongs to no biopsy."),
    Column("control", "positive: nerves are expected; negative: none are.", "code"),
    Column("stain", "bright-field or fluorescence.", "code"),
    Column("passed", "Whether it shows what is expected; empty when that cannot be told.", "true/false"),
    Column("reason", "Why it did not pass.", "code"),
    Column("reason_text", "The same in a sentence."),
    Column("remedy", "What to do about it."),
    Column("crossings", "Crossings in it; they are counted in no biopsy.", "integer"),
    *(column for column in _QUALITY if column.name in _OF_A_RUN),
)

DICTIONARY: tuple[Column, ...] = (
    Column("column", "Header of the column."),
    Column("table", "Table that it stands in."),
    Column("meaning", "What it says."),
    Column("unit", "Unit of its numbers."),
    Column(
        "type",
        "text, code, list of codes or list (separated by |), integer, number, true/false, date (ISO 8601)."
        " An empty cell is not available.",
        "code",
    ),
    Column("form", "How its numbers are written."),
)
