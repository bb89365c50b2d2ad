"""A protocol as a file that a person reads and changes: TOML, with what each value means as a comment.

What a value means is said once, in the docstrings of `ienfd.protocol`.
"""

from __future__ import annotations

import inspect
import json
import textwrap
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from ienfd.errors import EnvironmentProblem, UsageError
from ienfd.protocol import Protocol

__all__ = ["protocol_toml", "toml_value", "write_protocol"]

_WIDTH = 100
_FORMS = {
    "tuple of str": "list of texts", "tuple of float": "list of numbers", "None": "not set",
    "float": "number", "int": "whole number", "str": "text", "{": "", "}": "", '", "': '" or "',
}  # fmt: skip
_HEAD = (
    "Every choice of this protocol, and what it means. Change what differs in your laboratory; a line that"
    " is left out keeps the value of the built-in efns2010. Then: ienfd protocol check FILE"
)


def protocol_toml(protocol: Protocol, *, explained: bool = False) -> str:
    """A protocol with every value, as a file that `load_protocol` reads again as this protocol.

    Parameters
    ----------
    protocol : Protocol
        What it says.
    explained : bool
        Whether the meaning of each value stands over it.
    """
    lines = [*(_comment(_HEAD) if explained else ()), *_table(protocol, explained, ())]
    return "".join(f"{line}\n" for line in lines)


def write_protocol(file: Path, protocol: Protocol) -> None:
    """Write a protocol, explained, to a file that is not there yet.

    Raises
    ------
    UsageError
        If the file is there.
    EnvironmentProblem
        If it cannot be written.
    """
    try:
        with file.open("x", encoding="utf-8", newline="\n") as written:
            written.write(protocol_toml(protocol, explained=True))
    except FileExistsError as error:
        raise UsageError("option_invalid", f"{file} exists") from error
    except OSError as error:
        raise EnvironmentProblem("cannot_write", f"{file}: {error.strerror or error}") from error


def toml_value(value: Any) -> str:
    """A value in TOML's spelling."""
    if value is None:
        return "not set"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)  # strings, numbers and booleans are alike in both


def _table(choices: Any, explained: bool, path: tuple[str, ...]) -> Iterator[str]:
    """The lines of a dataclass of choices, its own values before its tables."""
    meanings = _meanings(type(choices)) if explained else {}
    said = ""
    values = [(one.name, getattr(choices, one.name)) for one in fields(choices)]
    for name, value in values:
        if is_dataclass(value):
            continue
        meaning = meanings.get(name, "")
        if meaning and meaning != said:  # one meaning may be that of several values
            yield ""
            yield from _comment(meaning)
        said = meaning
        # TOML knows no null: what has no value is shown, but not set
        yield f"# {name} is not set" if value is None else f"{name} = {toml_value(value)}"
    for name, value in values:
        if is_dataclass(value):
            yield ""
            if explained:
                yield ""
                yield from _comment(inspect.getdoc(type(value)) or "", first_line=True)
            yield f"[{'.'.join((*path, name))}]"
            yield from _table(value, explained, (*path, name))


def _comment(text: str, *, first_line: bool = False) -> list[str]:
    said = text.partition("\n")[0] if first_line else text
    return [
        f"# {line}" for line in textwrap.wrap(said, _WIDTH, break_long_words=False, break_on_hyphens=False)
    ]


def _meanings(kind: type) -> dict[str, str]:
    """What each value means, from the section `Parameters` of a numpydoc docstring."""
    _, _, section = (inspect.getdoc(kind) or "").partition("\nParameters\n----------\n")
    meanings: dict[str, str] = {}
    names: list[str] = []
    for line in section.splitlines():
        if not line.startswith(" ") and " : " in line:
            said, _, form = line.partition(" : ")
            names = said.split(", ")
            for word, plain in _FORMS.items():
                form = form.replace(word, plain)
            meanings |= dict.fromkeys(names, f"({form})")
        elif line.strip():
            meanings |= {name: f"{meanings[name]} {line.strip()}" for name in names}
    return {name: text.replace("`", "") for name, text in meanings.items()}
