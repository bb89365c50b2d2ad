"""Which state of which section a file of geometry shows, so that it can come back edited.

QuPath keeps the ids, classes and metadata of objects, and nothing else of a file. So every object that
says where a section is, or what was counted in it, carries three tags: the section, the analysis with its
counting rules, and the last entry of the log about it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ienfd.correction.commands import LoggedEdit
from ienfd.study.records import Placement

__all__ = ["ExportedState", "state_of"]

_SECTION, _ANALYSIS, _EDITS = "ienfd_section", "ienfd_analysis", "ienfd_edits"
_DIGITS = 12
_NUMBER = re.compile("[0-9]{1,12}")


@dataclass(frozen=True)
class ExportedState:
    """What a section was made of when it was exported.

    Parameters
    ----------
    section_id : str
        Which section.
    analysis : str
        Start of a hash of its analysis and its counting rules.
    last_seq : int
        Number of the last entry of the log about it; 0 for none.
    entry : str
        Start of the hash of that entry; empty for none.
    """

    section_id: str
    analysis: str
    last_seq: int = 0
    entry: str = ""

    def tags(self) -> dict[str, str]:
        """As metadata of an object."""
        edits = f"{self.last_seq} {self.entry}".strip()
        return {_SECTION: self.section_id, _ANALYSIS: self.analysis, _EDITS: edits}

    @classmethod
    def of_tags(cls, metadata: Mapping[str, str]) -> ExportedState | None:
        """What the metadata of an object say; None where they say nothing of it, or no sense."""
        seq, _, entry = metadata.get(_EDITS, "").partition(" ")
        if not _NUMBER.fullmatch(seq) or _SECTION not in metadata:
            return None
        return cls(metadata[_SECTION], metadata.get(_ANALYSIS, ""), int(seq), entry)

    @staticmethod
    def without_tags(metadata: Mapping[str, str]) -> dict[str, str]:
        """Metadata that are about something else."""
        return {key: value for key, value in metadata.items() if not key.startswith("ienfd_")}


def state_of(place: Placement, log: Sequence[LoggedEdit]) -> ExportedState:
    """The state of a row, with all entries of the log about its section, in order."""
    made = f"{place.analysis_id} {place.rules_key}"
    analysis = hashlib.sha256(made.encode()).hexdigest()[:_DIGITS]
    section_id = str(place.section_id)
    if not log:
        return ExportedState(section_id, analysis)
    return ExportedState(section_id, analysis, log[-1].seq, log[-1].hash[:_DIGITS])
