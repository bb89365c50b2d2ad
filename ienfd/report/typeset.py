"""Pages set in type: tagged PDF for the archive (PDF/A-3a, PDF/UA-1), the same bytes for the same words."""

from __future__ import annotations

import json
import re
import tempfile
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any, Literal

__all__ = ["FONT", "as_moment", "typeset"]

FONT = "Libertinus Serif"
"""Family of the letters, also of those in drawings."""

_FOR_THE_ARCHIVE: list[Literal["a-3a", "ua-1"]] = ["a-3a", "ua-1"]
_UNSHOWN = re.compile(r"the text [`'\"]+(?P<text>.+?)[`'\"]+ could not be displayed", re.DOTALL)
_TRIES = 60


def as_moment(dated: str) -> datetime:
    """A date in ISO 8601 as a document bears it; the beginning of 1970 where there is none."""
    return datetime.fromisoformat(dated or "1970-01-01T00:00:00+00:00").astimezone(UTC).replace(microsecond=0)


def typeset(template: str, said: Mapping[str, Any], files: Mapping[str, bytes], moment: datetime) -> bytes:
    """Set a template of `ienfd.report.templates` with what it says.

    Letters that no font at hand can show are written as their code points, as in `U+1F600`: an archive
    takes no page on which a letter is missing.

    Parameters
    ----------
    template : str
        Its name without an ending; it reads the words from the JSON file of that name.
    said : mapping
        The words, in JSON's types.
    files : mapping of str to bytes
        Pictures by the names under which the words speak of them.
    moment : datetime
        Date of the document.

    Raises
    ------
    ValueError
        If there are too many kinds of letters that cannot be shown.
    """
    import typst

    unshown: set[str] = set()
    with tempfile.TemporaryDirectory(prefix="ienfd-") as room:
        folder = Path(room)
        page = resources.files("ienfd.report").joinpath("templates", f"{template}.typ").read_bytes()
        for name, data in {f"{template}.typ": page, **files}.items():
            (folder / name).write_bytes(data)
        for _ in range(_TRIES):
            text = json.dumps(_shown(said, unshown), ensure_ascii=False)
            (folder / f"{template}.json").write_text(text, encoding="utf-8")
            try:
                return _compiled(folder, template, moment)
            except typst.TypstError as error:
                missing = _missing(error) - unshown
                if not missing:
                    raise
                unshown |= missing
    raise ValueError("the document holds more kinds of letters than its fonts can show")


def _compiled(folder: Path, template: str, moment: datetime) -> bytes:
    import typst

    return typst.compile(
        folder / f"{template}.typ",
        root=folder,
        ignore_system_fonts=True,  # the same page on every machine
        pdf_standards=[*_FOR_THE_ARCHIVE],
        timestamp=moment,
    )


def _missing(error: Exception) -> set[str]:
    """Letters that an error says could not be shown, and all like them."""
    found = _UNSHOWN.search(f"{error} {getattr(error, 'message', '')}")
    if found is None:
        return set()
    text = re.sub(r"\\u\{([0-9a-fA-F]+)\}", lambda code: chr(int(code[1], 16)), found["text"])
    return set(text)


def _shown(said: Any, unshown: set[str]) -> Any:
    """The same with code points in the place of letters that cannot be shown."""
    if isinstance(said, str):
        return "".join(f"[U+{ord(c):04X}]" if c in unshown or _is_never_shown(c) else c for c in said)
    if isinstance(said, Mapping):
        return {key: _shown(value, unshown) for key, value in said.items()}
    if isinstance(said, list | tuple):
        return [_shown(value, unshown) for value in said]
    return said


def _is_never_shown(letter: str) -> bool:
    """Whether it is a control, a private or an unassigned code point, or beyond what the fonts hold."""
    if letter in "\n\t":
        return False
    return unicodedata.category(letter) in ("Cc", "Cn", "Co", "Cs") or ord(letter) > 0x2E7F
