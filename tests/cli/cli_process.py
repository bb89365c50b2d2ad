"""`ienfd` as a process, with stand-ins for reading and image analysis."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

TABLES = (
    "biopsies.csv",
    "controls.csv",
    "course.csv",
    "crossings.csv",
    "data_dictionary.csv",
    "sections.csv",
)
BATCH = Path(__file__).parents[1] / "batch"

# The command itself, with stand-ins for reading and image analysis.
SCRIPT = """
import sys
from dataclasses import replace
from batch_standins import ENGINE
from ienfd.cli import run
from ienfd.cli.main import main

asked = run.batch_options
run.batch_options = lambda *given: replace(asked(*given), engine=ENGINE)
if __name__ == "__main__":
    sys.exit(main())
"""


def put(folder: Path, **contents: str) -> None:
    for name, content in contents.items():
        (folder / f"{name}.tif").write_text(content, encoding="utf-8")


def command(images: Path, arguments: Sequence[object]) -> list[str]:
    script = images.parent / "command.py"
    script.write_text(SCRIPT, encoding="utf-8")
    return [sys.executable, str(script), *map(str, arguments)]


ENVIRONMENT = {**os.environ, "PYTHONPATH": str(BATCH), "COLUMNS": "100", "PYTHONIOENCODING": "utf-8"}


def ienfd(images: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(images, arguments), env=ENVIRONMENT, capture_output=True, text=True, encoding="utf-8",
        timeout=100, check=False,
    )  # fmt: skip


def run(images: Path, *options: object, out: str = "study") -> subprocess.CompletedProcess[str]:
    return ienfd(images, "run", images, "--out", images.parent / out, "--workers", 1, *options)


def tables(images: Path, out: str = "study") -> dict[str, bytes]:
    return {name: (images.parent / out / name).read_bytes() for name in TABLES}


def rows(images: Path, table: str = "sections", out: str = "study") -> list[dict[str, str]]:
    text = (images.parent / out / f"{table}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def events(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]
