"""What `ienfd` imports before it answers."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {
    "alembic", "imagecodecs", "numpy", "pandas", "pydantic",
    "scipy", "shapely", "skimage", "sqlalchemy", "tifffile",
}  # fmt: skip

PROBE = """
import sys
from ienfd.cli import main
status = main(sys.argv[1:])
print("imported:", *sorted({name.partition(".")[0] for name in sys.modules}))
sys.exit(status)
"""


def answer(*arguments: str) -> tuple[str, set[str]]:
    """What the command prints, and the top-level modules that it imported."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments],
        capture_output=True, text=True, encoding="utf-8", timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    text, _, imported = done.stdout.partition("imported: ")
    return text, set(imported.split())


@pytest.mark.parametrize("asked", ["--help", "--version"])
def test_no_heavy_module_is_imported(asked: str) -> None:
    text, imported = answer(asked)
    assert "ienfd" in text
    assert "click" in imported  # the probe sees what was imported
    assert imported & HEAVY == set()


def test_help_names_every_command() -> None:
    text, _ = answer("--help")
    for command in ("run", "status", "inspect", "norms", "protocol", "phantom", "demo", "selftest"):
        assert f"\n  {command} " in text


def test_the_probe_sees_a_heavy_module() -> None:
    _, imported = answer("norms", "show", "bursova2012")
    assert "pydantic" in imported
