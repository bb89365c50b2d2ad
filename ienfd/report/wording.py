"""Every text of the report in one place, and what a laboratory's own template changes of it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from ienfd.errors import UsageError

__all__ = ["ASSAY", "IMAGING", "SPECIMEN", "Template", "Wording", "load_template"]

_FORBID_UNKNOWN: Mapping[str, Any] = {"extra": "forbid"}  # read by pydantic when a file is validated

SPECIMEN = {
    "accession": "Accession",
    "orderer": "Ordered by",
    "receipt_date": "Received",
    "punch_mm": "Punch, mm",
    "fixative": "Fixative",
    "fixation_hours": "Hours in it",
    "embedding": "Embedding",
}
ASSAY = {
    "antibody": "Antibody",
    "clone": "Clone",
    "lot": "Lot",
    "chromogen": "Chromogen or fluorophore",
    "basement_membrane_marker": "Basement-membrane marker",
    "control_result": "Control",
}
IMAGING = {"scanner": "Scanner", "objective": "Objective", "z_step_um": "Step of planes, um"}
"""Further columns of the case table that a report shows, and their labels."""


@dataclass(frozen=True)
class Wording:
    """The texts of a report.

    Parameters
    ----------
    title, subtitle : str
        At the head of the first page.
    preliminary, withdrawn : str
        Across every page of such a report.
    limitations : tuple of str
        What has to be said with every result.
    signed : str
        Under the signatures.
    """

    title: str = "Intraepidermal nerve fiber density"
    subtitle: str = "Skin biopsy report"
    preliminary: str = "PRELIMINARY"
    withdrawn: str = "WITHDRAWN"
    limitations: tuple[str, ...] = (
        "A low density supports but does not by itself establish small-fiber neuropathy;"
        " one that is not low does not exclude it.",
        "The interval covers the sampling of sections only: neither the reading of them nor their staining.",
        "A density that is not below the limit is not said to be normal.",
        "ienfd is for research use: it has not been validated on patients and is no medical device.",
    )
    signed: str = (
        "Signed in ienfd: a name that was typed, with account, machine and time, and a hash of everything"
        " that was signed. It is no legal electronic signature."
    )

    __pydantic_config__: ClassVar[Mapping[str, Any]] = _FORBID_UNKNOWN


@dataclass(frozen=True)
class Template:
    """A laboratory's letterhead, and its own words.

    Parameters
    ----------
    laboratory : str
        Its name; empty for none.
    lines : tuple of str
        Address, telephone ...
    logo : Path or None
        A PNG or JPEG picture.
    wording : Wording
        The texts of the report.
    """

    laboratory: str = ""
    lines: tuple[str, ...] = ()
    logo: Path | None = None
    wording: Wording = field(default_factory=Wording)

    __pydantic_config__: ClassVar[Mapping[str, Any]] = _FORBID_UNKNOWN


def load_template(path: Path) -> Template:
    """Read a template: a TOML file that names what differs.

    Raises
    ------
    UsageError
        If it is no TOML, names something unknown, or its logo is not there.
    """
    from pydantic import TypeAdapter, ValidationError

    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        template = TypeAdapter(Template).validate_python(values)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError("report_template_invalid", f"{path}: {error}") from error
    except ValidationError as error:
        lines = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise UsageError("report_template_invalid", f"{path}: {lines}") from error
    logo = None if template.logo is None else path.parent / template.logo
    if logo is not None and not logo.is_file():
        raise UsageError("report_template_invalid", f"{path}: there is no {logo}")
    return Template(template.laboratory, template.lines, logo, template.wording)
