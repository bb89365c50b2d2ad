"""What a laboratory has validated: a protocol and the version of ienfd, pinned by a person.

The file is the laboratory's, not the study's: `validated.toml` in the user's data, or what
`IENFD_VALIDATED` names, for example on a share. Every run takes the last entry into its study, so that
tables and reports say the same on every machine. ienfd validates nothing itself: an entry is the word of
whoever made it.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import ienfd
from ienfd.analysis_key import ALGORITHM_VERSION
from ienfd.errors import EnvironmentProblem, UsageError
from ienfd.protocol import Protocol
from ienfd.protocol_file import toml_value
from ienfd.study.account import account, own_place

__all__ = ["FILE_VARIABLE", "Validated", "pin", "validated_file", "validated_now"]

FILE_VARIABLE = "IENFD_VALIDATED"
_HEAD = """\
# What this laboratory has validated, each entry written by `ienfd protocol pin`. The last one holds:
# whatever is analyzed under another protocol or by another version of ienfd says so on every report.
# Without this file nothing is pinned.
"""


@dataclass(frozen=True)
class Validated:
    """A protocol and the version of ienfd that a laboratory has validated.

    Parameters
    ----------
    protocol_id, protocol_hash : str
        The protocol; its hash decides.
    software_version, algorithm_version : str
        The version of ienfd, and that of its image analysis.
    by, account, at : str
        Who pinned it, from which account, and when (UTC in ISO 8601).
    note : str
        Where the validation is written down; may be empty.
    """

    protocol_id: str
    protocol_hash: str
    software_version: str
    algorithm_version: str
    by: str
    account: str
    at: str
    note: str = ""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    @property
    def words(self) -> str:
        """It in a sentence without its end."""
        note = f": {self.note}" if self.note else ""
        protocol = f"protocol {self.protocol_id} ({self.protocol_hash[:12]})"
        version = f"ienfd {self.software_version}, image analysis {self.algorithm_version}"
        return f"{protocol} with {version}, pinned by {self.by}, {self.at[:10]}{note}"

    def covers(self, protocol_hashes: Iterable[str], algorithm_versions: Iterable[str]) -> bool:
        """Whether something was analyzed, and is called by this program, as was validated."""
        return (
            set(protocol_hashes) <= {self.protocol_hash}
            and set(algorithm_versions) <= {self.algorithm_version}
            and ienfd.__version__ == self.software_version
        )


def validated_file() -> Path | None:
    """The laboratory's file: of IENFD_VALIDATED, or in the user's data; None where neither is."""
    return own_place(FILE_VARIABLE, "validated.toml")


def validated_now() -> Validated | None:
    """The entry that holds; None where nothing is pinned.

    Raises
    ------
    UsageError
        `pin_invalid` if the file is not what `ienfd protocol pin` writes.
    """
    path = validated_file()
    if path is None:
        return None
    entries = _entries(path)
    return entries[-1] if entries else None


def pin(protocol: Protocol, *, by: str, note: str = "") -> tuple[Validated, Path]:
    """Pin a protocol and this version of ienfd; former entries stay in the file.

    Parameters
    ----------
    protocol : Protocol
        What was validated.
    by : str
        Who says so.
    note : str
        Where the validation is written down.

    Raises
    ------
    UsageError
        If nobody is named, there is no place for the file, or what lies there is not valid.
    EnvironmentProblem
        If it cannot be written.
    """
    by, note = (" ".join(text.split()) for text in (by, note))
    if not by or not (by + note).isprintable():
        raise UsageError("option_invalid", "--by: name the person who states that it was validated")
    path = validated_file()
    if path is None:
        raise UsageError("option_invalid", f"this account has no home: name a file in {FILE_VARIABLE}")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    versions = ienfd.__version__, ALGORITHM_VERSION
    entry = Validated(protocol.id, protocol.hash, *versions, by, account(), now, note)
    text = _HEAD + "".join(_table(one) for one in (*_entries(path), entry))
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(text, encoding="utf-8", newline="\n")
        unfinished.replace(path)
    except OSError as error:
        raise EnvironmentProblem("pin_not_written", f"{path}: {error.strerror or error}") from error
    return entry, path


def _table(entry: Validated) -> str:
    lines = (f"{name} = {toml_value(value)}\n" for name, value in asdict(entry).items())
    return "\n[[validated]]\n" + "".join(lines)


def _entries(path: Path) -> tuple[Validated, ...]:
    from pydantic import TypeAdapter, ValidationError

    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as error:
        raise UsageError("pin_invalid", f"{path}: {error}") from error
    try:
        if set(values) - {"validated"}:
            raise UsageError("pin_invalid", f"{path}: {', '.join(sorted(set(values) - {'validated'}))}")
        return TypeAdapter(tuple[Validated, ...]).validate_python(values.get("validated", ()))
    except ValidationError as error:
        lines = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise UsageError("pin_invalid", f"{path}: {lines}") from error
