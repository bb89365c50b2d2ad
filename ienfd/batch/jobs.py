"""The executor's interface: jobs go in, endings come out, in any order.

A local pool of processes is one executor (`ienfd.batch.pool`); a cluster can be another behind the
same three types.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

__all__ = ["Ending", "Executor", "Failure", "Job"]


@dataclass(frozen=True)
class Job:
    """One call that any process can make.

    Parameters
    ----------
    key : str
        Whose job it is; comes back with its ending.
    function : callable
        A function of one argument at the top level of a module.
    argument : object
        Its argument, which can be pickled.
    memory_bytes : int
        Memory it is expected to take.
    """

    key: str
    function: Callable[[Any], Any]
    argument: Any
    memory_bytes: int = 0


@dataclass(frozen=True)
class Failure:
    """Why a job gave no value.

    Parameters
    ----------
    code : str
        Code from `ienfd.reasons`: `internal_error`, `time_limit` or `worker_died`.
    detail : str
        One line for a person.
    trace : str
        Traceback for the log, if there is one.
    """

    code: str
    detail: str
    trace: str = ""


@dataclass(frozen=True)
class Ending:
    """How a job ended: with a value, or with a failure, after so many attempts."""

    key: str
    value: Any = None
    failure: Failure | None = None
    attempts: int = 1


class Executor(Protocol):
    """Anything that carries out jobs."""

    def run(self, jobs: Iterable[Job]) -> Generator[Ending, None, None]:
        """Carry out `jobs`, taken from their iterator only as there is room for them.

        Closing the returned generator stops everything that is still under way.
        """
        ...
