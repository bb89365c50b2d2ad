"""A study of ten thousand sections: how long its commands take, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from benchmarks.reliability.studies import File, fill, of_biopsy
from ienfd.study.store import Store

__all__ = ["SECTIONS", "make_study", "time_commands"]

SECTIONS = 10_000
_PER_BIOPSY = 4

# Without the imports, which every command needs: in a process that has done them.
_TIMED = """
import sys, time
from pathlib import Path
from ienfd.report.content import gather
from ienfd.report.tables import make_tables
from ienfd.study.store import Store
import ienfd.cli.status, rich.console, ienfd.density
from ienfd.cli.main import main
study = Path(sys.argv[1])
begin = time.perf_counter()
main(["status", str(study)])
print("status", time.perf_counter() - begin, file=sys.stderr)
begin = time.perf_counter()
with Store(study) as store:
    content = gather(store)
    opened = time.perf_counter()
    tables = make_tables(content)
print("tables", time.perf_counter() - begin, file=sys.stderr)
begin = time.perf_counter()
with Store(study) as store:
    case = content.sections[len(content.sections) // 2].placement.case_id
    gather(store, case_id=case)
print("case", time.perf_counter() - begin, file=sys.stderr)
"""


def make_study(folder: Path, sections: int = SECTIONS) -> float:
    """Make it; returns the seconds that the store took for one section."""
    files: list[File] = [
        of_biopsy(f"{number // _PER_BIOPSY:05d}/{number % _PER_BIOPSY}.tif", f"C{number // _PER_BIOPSY:05d}")
        for number in range(sections)
    ]
    with Store(folder, create=True) as store:
        begin = time.perf_counter()
        fill(store, files)
        return (time.perf_counter() - begin) / sections


def time_commands(folder: Path) -> dict[str, float]:
    """Seconds of `status`, of all tables, and of opening one case, after imports."""
    done = subprocess.run(
        [sys.executable, "-c", _TIMED, str(folder)], check=True, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    words = [line.split() for line in done.stderr.splitlines()]
    return {name: round(float(seconds), 3) for name, seconds in words}
