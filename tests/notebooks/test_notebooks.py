"""Notebooks run as they stand, and are small and neutral."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def read(path: Path) -> Any:
    """Parse a notebook; nbformat has no types."""
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def printed(notebook: Any) -> list[str]:
    """What the cells printed, line by line."""
    text = "".join(out.get("text", "") for cell in notebook.cells for out in cell.get("outputs", []))
    return text.splitlines()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_was_executed_and_names_no_machine(path: Path) -> None:
    text = path.read_text("utf-8")
    notebook = read(path)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert len(text) < 1_000_000
    assert not re.search(r'"(/|[A-Z]:\\)|/home/|/tmp/|/Users/|/root/', re.sub(r'"image/\w+": ".*"', "", text))


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
# the kernel's sockets belong to its own packages, and warn in ways that differ between their versions
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::RuntimeWarning")
def test_it_runs_and_ends_with_the_same_call(path: Path) -> None:
    # `jupyter execute --inplace` writes its pictures and figures anew after a change of the analysis
    stored = read(path)
    fresh = read(path)
    resources = {"metadata": {"path": str(path.parent)}}
    NotebookClient(fresh, timeout=300, kernel_name="python3", resources=resources).execute()
    assert printed(fresh)[-1] == printed(stored)[-1]


def test_there_is_a_first_notebook() -> None:
    assert (ROOT / "notebooks" / "first_density_in_ten_minutes.ipynb") in NOTEBOOKS
