"""Errors that say what is wrong, with which file, and what to do about it.

Every error a person can meet carries a stable `code` from `ienfd.reasons`, the sentence that
explains it and a remedy. The class decides what the error does to a batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ienfd.reasons import REASONS

__all__ = [
    "ConflictError",
    "EnvironmentProblem",
    "IenfdError",
    "MissingExtraError",
    "RefusedError",
    "UnreadableError",
    "UsageError",
]


class IenfdError(Exception):
    """Base of every error that ienfd raises on purpose.

    Parameters
    ----------
    code : str
        Stable code, a key of `ienfd.reasons.REASONS`.
    detail : str
        What exactly was met: the file, the value, the limit.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        self.code = code
        self.detail = detail
        super().__init__(code, detail)

    @property
    def text(self) -> str:
        """The sentence for a person."""
        sentence = REASONS[self.code].text
        if "\n" in self.detail:  # a list stands under its sentence
            return f"{sentence}\n{self.detail}"
        return f"{sentence} ({self.detail})" if self.detail else sentence

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return REASONS[self.code].remedy

    def __str__(self) -> str:
        return f"{self.text} {self.remedy}".strip()


class UnreadableError(IenfdError, OSError):
    """A file that cannot be read: its row ends as `failed`, the batch goes on."""


class RefusedError(IenfdError, ValueError):
    """A file that was read but cannot honestly be analyzed: its row ends as `refused`."""


class UsageError(IenfdError, ValueError):
    """The command, the case table or the protocol is not valid: nothing is done, exit status 2."""


class ConflictError(UsageError):
    """Somebody else changed the same thing first: nothing of one's own was written.

    Parameters
    ----------
    since : sequence of LoggedEdit
        What was done to it in the meantime, in order.
    """

    def __init__(self, since: Sequence[Any]) -> None:
        self.since = tuple(since)
        last = self.since[-1]
        super().__init__("edit_conflict", f"{last.who}, {last.at}: {last.edit.command}")


class EnvironmentProblem(IenfdError, RuntimeError):  # noqa: N818 - it names a situation, not a mistake
    """Disk full, database gone, folder read-only: nothing more can be done, exit status 1."""


class MissingExtraError(IenfdError, ImportError):
    """An optional part of ienfd is not installed; the message names the extra to install."""
