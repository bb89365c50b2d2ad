"""Watch a folder while a scanner writes into it, and analyze each file once it is written.

A file is ready when its size and time have stayed the same for a while and it can be opened; until
then it is no row of the study.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from ienfd.batch.casework import CASES_NAME
from ienfd.batch.discover import walk
from ienfd.batch.plan import BatchOptions
from ienfd.batch.report import RunReport
from ienfd.batch.tasks import FileStamp
from ienfd.errors import EnvironmentProblem, UsageError

__all__ = ["Inbox", "Watching", "watch"]


@dataclass
class Inbox:
    """What is known of the files of a folder.

    Parameters
    ----------
    settle_s : float
        How long a file must have stayed the same.
    """

    settle_s: float
    _seen: dict[Path, tuple[FileStamp, float]] = field(default_factory=dict)

    def look(self, files: Iterable[Path], now_s: float) -> None:
        """Note how the files are at this moment."""
        seen: dict[Path, tuple[FileStamp, float]] = {}
        for path in files:
            try:
                stamp = FileStamp.of(path)
            except OSError:
                continue
            before = self._seen.get(path)
            seen[path] = before if before is not None and before[0] == stamp else (stamp, now_s)
        self._seen = seen

    def ready(self, now_s: float) -> dict[Path, FileStamp]:
        """The files that are written, and how they are."""
        return {
            path: stamp
            for path, (stamp, since) in self._seen.items()
            if now_s - since >= self.settle_s and stamp.size_bytes > 0 and _opens(path)
        }

    def settling(self, now_s: float) -> set[Path]:
        """Files that changed a moment ago."""
        return {path for path, (_, since) in self._seen.items() if now_s - since < self.settle_s}


def _opens(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return bool(stream.read(1))
    except OSError:  # the scanner still holds it, or it has gone
        return False


@dataclass(frozen=True)
class Watching:
    """How a folder is watched.

    Parameters
    ----------
    every_s : float
        Pause between two looks.
    settle_s : float
        How long a file must have stayed the same.
    idle_s : float or None
        End when nothing has come for so long; None to go on until interrupted.
    """

    every_s: float = 5.0
    settle_s: float = 10.0
    idle_s: float | None = None


def watch(
    options: BatchOptions,
    watching: Watching,
    run: Callable[[BatchOptions], RunReport],
    *,
    said: Callable[[str], None],
    ended: Callable[[RunReport], None],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> RunReport | None:
    """Run a batch whenever files have come or changed, or the case table has.

    What stands in the way of one run (a case table half edited, a network folder that has gone) is
    said once, and tried again; what is done stays done.

    Parameters
    ----------
    options : BatchOptions
        What is asked; its images are the folder to watch.
    watching : Watching
        How.
    run : callable
        Carries out a batch, `ienfd.batch.run.run_batch`.
    said : callable
        Told what stands in the way.
    ended : callable
        Told the report of every run.
    clock, sleep : callable
        Of a test.

    Returns
    -------
    RunReport or None
        That of the last run. A run that is interrupted ends the watch.

    Raises
    ------
    EnvironmentProblem, UsageError
        What still stood in the way when nothing had come for so long.
    """
    inbox = Inbox(watching.settle_s)
    done: dict[Path, FileStamp] = {}
    last: RunReport | None = None
    trouble: EnvironmentProblem | UsageError | None = None
    quiet_since = clock()
    while True:
        inbox.look(_files(options), clock())
        ready, settling = inbox.ready(clock()), inbox.settling(clock())
        if settling:
            quiet_since = clock()
        # while something that is known is being written again, its row stays as it is
        if ready != done and ready and not settling & done.keys():
            try:
                last = run(replace(options, ready=frozenset(ready)))
            except (EnvironmentProblem, UsageError) as error:
                if error.code == "no_images":  # a case table, or something else, came first
                    done, trouble = ready, None
                else:
                    if str(error) != str(trouble):
                        said(str(error))
                    trouble = error
            else:
                trouble, done, quiet_since = None, ready, clock()
                ended(last)
                if last.interrupted:
                    return last
        if watching.idle_s is not None and clock() - quiet_since >= watching.idle_s:
            if trouble is not None:
                raise trouble
            return last
        sleep(watching.every_s)


def _files(options: BatchOptions) -> list[Path]:
    """Everything in the folder that a run would look at, and the case table wherever it lies."""
    found = [path for path, _ in walk(options.images.resolve(), options.out.resolve())]
    table = options.cases or options.images / CASES_NAME
    return [*found, table.resolve()] if table.is_file() else found
