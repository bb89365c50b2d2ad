"""What `pip install .` brings: the code, and the data that the code opens."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Names of the files in the wheel of the project."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT, check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    (wheel,) = folder.glob("ienfd-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_nothing_of_the_package_is_left_out(packed: set[str]) -> None:
    files = {path.relative_to(ROOT).as_posix() for path in (ROOT / "ienfd").rglob("*") if path.is_file()}
    assert {name for name in files if "/__pycache__/" not in name} <= packed


@pytest.mark.parametrize(
    "name",
    [
        "ienfd/py.typed",
        "ienfd/norms/data/collongues2018.toml",
        "ienfd/study/migrations/script.py.mako",
        "ienfd/study/migrations/versions/r0001_first_tables.py",
    ],
)
def test_data_is_packed(packed: set[str], name: str) -> None:
    assert name in packed


def test_only_the_package_is_packed(packed: set[str]) -> None:
    assert {name.partition("/")[0].partition("-")[0] for name in packed} == {"ienfd"}
