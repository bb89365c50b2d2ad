"""What may stand in a row of the case table, and in which words."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

from ienfd.protocol import Stain
from ienfd.text_table import number_in

__all__ = ["CaseValues", "validated"]

_OLDEST_YEARS = 120.0
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")

_SEX = {"F": ("f", "female", "woman", "w"), "M": ("m", "male", "man")}
_SITE = {
    # only names of the place 10 cm above the lateral malleolus: "leg" or "calf" alone could be elsewhere,
    # and two places under one name would be pooled
    "distal_leg": (
        "distal leg", "distal calf", "distal lower leg", "ankle", "supramalleolar",
        "above lateral malleolus", "above the lateral malleolus",
        "10 cm above lateral malleolus", "10 cm above the lateral malleolus",
        "10cm above lateral malleolus", "10cm above the lateral malleolus",
    ),
    "thigh": ("thigh",),
    "foot": ("foot",),
    "other": ("other",),
}  # fmt: skip
_SIDE = {"left": ("left", "l"), "right": ("right", "r")}
_STAIN = {
    "bright-field": ("bright field", "brightfield", "bf", "dab", "chromogen"),
    "fluorescence": ("fluorescence", "fluorescent", "immunofluorescence", "if"),
}
_PLANES = {
    "single": ("single", "single plane", "1"),
    "stack": ("stack", "z stack", "zstack"),
    "projection": (
        "projection", "z projection", "max projection", "maximum projection", "mip",
        "extended focus", "edf", "efi",
    ),
}  # fmt: skip
_PLANES_SAID = "single, stack, projection or a number of planes"
_CONTROL = {"positive": ("positive", "pos", "+"), "negative": ("negative", "neg", "-")}


def _one_of(words: Mapping[str, tuple[str, ...]], said: str) -> Callable[[object], str]:
    meaning = {word: name for name, synonyms in words.items() for word in synonyms}

    def understood(cell: object) -> str:
        word = " ".join(re.sub(r"[_-]+(?=\w)", " ", str(cell)).casefold().split())
        if word not in meaning:
            raise PydanticCustomError("word", "{cell} is not {said}", {"cell": repr(cell), "said": said})
        return meaning[word]

    return understood


def _planes(cell: object) -> str:
    text = str(cell)
    return "stack" if text.isdecimal() and int(text) > 1 else _one_of(_PLANES, _PLANES_SAID)(text)


def _side(cell: object) -> str:
    word = str(cell).casefold().strip(".")
    return next((name for name, words in _SIDE.items() if word in words), str(cell))


def _number(cell: object) -> float:
    text = str(cell)
    value = number_in(text)
    if math.isnan(value):
        raise PydanticCustomError("number", "{cell} is not a number", {"cell": repr(text)})
    return value


def _age(value: float) -> float:
    if not 0 <= value <= _OLDEST_YEARS:
        raise PydanticCustomError("age", "{value} is not an age from 0 to 120", {"value": f"{value:g}"})
    return value


def _positive(value: float) -> float:
    if value <= 0:
        raise PydanticCustomError("positive", "{value} is not greater than 0", {"value": f"{value:g}"})
    return value


def _iso_date(cell: object) -> str:
    text = str(cell)
    try:
        if not _DATE.fullmatch(text):
            raise ValueError
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise PydanticCustomError(
            "date", "{cell} is not a date written as 2026-03-31", {"cell": repr(text)}
        ) from error


class CaseValues(BaseModel):
    """What the case table says of one file, except further columns.

    Cells come as text; those that are blank are left out. `site` and `stain`, `planes`, `sex` and
    `control` take the contract's words and their synonyms, `side` any word (l and r are left and right).
    A decimal comma is accepted, a date only in ISO's form, which no country reads differently.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    case_id: str
    biopsy_id: str | None = None
    age_years: Annotated[float, BeforeValidator(_number), AfterValidator(_age)] | None = None
    sex: Annotated[Literal["F", "M"], BeforeValidator(_one_of(_SEX, "F or M"))] | None = None
    site: (
        Annotated[
            Literal["distal_leg", "thigh", "foot", "other"],
            BeforeValidator(_one_of(_SITE, "distal_leg, thigh, foot or other")),
        ]
        | None
    ) = None
    side: Annotated[str, BeforeValidator(_side)] | None = None
    collection_date: Annotated[str, BeforeValidator(_iso_date)] | None = None
    stain: Annotated[Stain, BeforeValidator(_one_of(_STAIN, "bright-field or fluorescence"))] | None = None
    section_um: Annotated[float, BeforeValidator(_number), AfterValidator(_positive)] | None = None
    planes: (
        Annotated[
            Literal["single", "stack", "projection"],
            BeforeValidator(_planes),
        ]
        | None
    ) = None
    pixel_size_um: Annotated[float, BeforeValidator(_number), AfterValidator(_positive)] | None = None
    control: (
        Annotated[
            Literal["positive", "negative"],
            BeforeValidator(_one_of(_CONTROL, "positive or negative (blank for a patient's section)")),
        ]
        | None
    ) = None
    patient_id: str | None = None
    staining_run: str | None = None

    @property
    def biopsy(self) -> str:
        """The biopsy's id; where none is given, what tells biopsies of a case apart."""
        parts = (self.case_id, self.site, self.side, self.collection_date)
        return self.biopsy_id or "_".join(part for part in parts if part)


def validated(cells: Mapping[str, str]) -> tuple[CaseValues | None, list[str]]:
    """The values of a row, or what is wrong with each of its columns."""
    try:
        return CaseValues.model_validate(dict(cells)), []
    except ValidationError as error:
        return None, [_sentence(mistake) for mistake in error.errors()]


def _sentence(mistake: Any) -> str:
    column = str(mistake["loc"][0])
    return f"{column} is blank" if mistake["type"] == "missing" else f"{column}: {mistake['msg']}"
