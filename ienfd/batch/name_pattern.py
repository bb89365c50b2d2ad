"""Case data from file names: `{case_id}_{site}_*` reads P01_ankle_3.tif as case P01, site ankle.

A name that can be read in two ways is not read at all: guessing where a case id ends could put two
patients into one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from ienfd.batch.case_file import COLUMNS
from ienfd.batch.case_values import CaseValues, validated
from ienfd.errors import UsageError

__all__ = ["NamePattern"]

_TOKEN = re.compile(r"(\{[^{}]*\}|\*)")
_MANY_READINGS = 2000


@dataclass(frozen=True)
class NamePattern:
    """A pattern of literal text, `*` for anything, and column names in braces for their values.

    Neither goes beyond a `/`. Without a `/` the pattern is for the name of the file, whatever its
    folder; with one it is for the whole path relative to the image folder. Without a `.` the suffix of
    the name is not looked at.

    Parameters
    ----------
    text : str
        The pattern.

    Raises
    ------
    UsageError
        If it is not valid.
    """

    text: str

    def __post_init__(self) -> None:
        fields = [token[1:-1] for token in self._tokens if token.startswith("{")]
        if "{" in (rest := _TOKEN.sub("", self.text)) or "}" in rest:
            raise self._invalid("a brace is not closed")
        for name in fields:
            if name not in COLUMNS or name == "file":
                known = ", ".join(column for column in COLUMNS if column != "file")
                raise self._invalid(f"{{{name}}} is no column; there are {known}")
        if len(set(fields)) < len(fields):
            raise self._invalid("a column stands twice")
        if "case_id" not in fields:
            raise self._invalid("{case_id} must be in it")
        if re.search(r"[}*][{*]", self.text):
            raise self._invalid("there must be text between two columns, or a column and *")

    @property
    def _tokens(self) -> list[str]:
        return [token for token in _TOKEN.split(self.text) if token]

    def read(self, name: str) -> tuple[CaseValues | None, str]:
        """What the name of a file says, or why it says nothing.

        Parameters
        ----------
        name : str
            Path relative to the image folder, with `/`.
        """
        path = PurePosixPath(name)
        subject = name if "/" in self.text else path.name
        if "." not in PurePosixPath(self.text).name:
            subject = subject.removesuffix(path.suffix).removesuffix(".ome")
        readings: dict[tuple[tuple[str, str], ...], CaseValues] = {}
        mistakes: list[str] = []
        for number, cells in enumerate(_readings(self._tokens, subject)):
            values, wrong = validated(cells)
            if values is not None:
                readings[tuple(sorted(cells.items()))] = values
            mistakes += wrong
            if len(readings) > 1 or number >= _MANY_READINGS:
                ways = " or ".join(f"case {values.case_id}" for values in readings.values())
                return None, f"it can be read in more than one way ({ways})"
        if readings:
            return readings.popitem()[1], ""
        return None, mistakes[0] if mistakes else "it does not match"

    def _invalid(self, problem: str) -> UsageError:
        return UsageError("option_invalid", f"--name-pattern {self.text}: {problem}")


def _readings(tokens: list[str], text: str) -> Iterator[dict[str, str]]:
    """All ways to read `text`; fields are not empty and have no blank at their ends."""
    if not tokens:
        if not text:
            yield {}
        return
    token, rest = tokens[0], tokens[1:]
    if not token.startswith("{") and token != "*":
        if text.startswith(token):
            yield from _readings(rest, text[len(token) :])
        return
    limit = text.find("/") if "/" in text else len(text)
    ends = _ends(rest, text, limit)
    for end in ends:
        taken = text[:end]
        if token == "*":
            yield from _readings(rest, text[end:])
        elif taken and taken == taken.strip():
            for further in _readings(rest, text[end:]):
                yield {token[1:-1]: taken, **further}


def _ends(rest: list[str], text: str, limit: int) -> Iterator[int]:
    """Where a field or `*` may end: where the literal text after it begins."""
    if not rest:
        if limit == len(text):
            yield limit
        return
    end = text.find(rest[0])
    while end != -1 and end <= limit:
        yield end
        end = text.find(rest[0], end + 1)
