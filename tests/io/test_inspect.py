"""`ienfd inspect` as a person runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import tifffile
from io_files import SIZES_UM, SVS_TEXT, color, stack

from ienfd import io


def inspect(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    program = "import sys; from ienfd.cli import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", program, "inspect", *map(str, arguments)],
        capture_output=True, text=True, timeout=60, check=False, encoding="utf-8",
        env={**os.environ, "COLUMNS": "160", "PYTHONUTF8": "1"},
    )  # fmt: skip


def test_a_stack_of_channels(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    names = {"Channel": {"Name": ["PGP 9.5", "Collagen IV"]}, "SignificantBits": 12}
    tifffile.imwrite(
        path, stack(), ome=True, photometric="minisblack", metadata={"axes": "ZCYX", **SIZES_UM, **names}
    )
    done = inspect(path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = {line.split("  ")[0].strip(): line.strip() for line in done.stdout.splitlines()}
    assert lines["Format"].endswith("OME-TIFF")
    assert lines["Size"].endswith("24 x 20 px, 0.01 x 0.01 mm")
    assert lines["Planes"].endswith("3, 2 um apart")
    assert lines["Channel 0"].endswith("PGP 9.5: nerve")
    assert lines["Channel 1"].endswith("Collagen IV: basement membrane")
    assert lines["Samples"].endswith("uint16, 12 bits")
    assert "0.5 um per pixel, from ome" in lines["Pixel size"]
    assert lines["SHA-256"].endswith(io.file_sha256(path))
    assert "No density" not in done.stdout


def test_problem_remedy_and_identifying_text(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path, color(), photometric="rgb", resolution=(72, 72), resolutionunit="INCH", metadata=None,
        description="patient Jane Doe",
    )  # fmt: skip
    done = inspect(path)
    assert done.returncode == 0
    assert '"72 x 72 pixels per inch"' in done.stdout
    assert "screen or printer default" in done.stdout
    assert "--pixel-size-um" in done.stdout
    assert "May identify a person: ImageDescription." in done.stdout
    assert "Doe" not in done.stdout


def test_a_slide(tmp_path: Path) -> None:
    path = tmp_path / "a.svs"
    tifffile.imwrite(path, color(), photometric="rgb", metadata=None, description=SVS_TEXT + "|User = jd")
    done = inspect(path)
    assert "Aperio SVS" in done.stdout
    assert "0.499 um per pixel, from aperio" in done.stdout
    assert "Aperio User" in done.stdout


def test_axes_are_asked_for_and_taken(tmp_path: Path) -> None:
    path = tmp_path / "pages.tif"
    tifffile.imwrite(path, np.zeros((6, 20, 24), np.uint8), photometric="minisblack", metadata=None)
    assert "Give --axes" in inspect(path).stdout
    done = inspect(path, "--axes", "Z3CYX")
    assert done.returncode == 0
    assert "ZCYX as stored" in done.stdout
    assert "Give --axes" not in done.stdout


def test_exit_status(tmp_path: Path) -> None:
    path = tmp_path / "letter.tif"
    path.write_text("Dear colleague,")
    done = inspect(path)
    assert (done.returncode, done.stdout) == (3, "")
    assert '"Dear colleague,"' in done.stderr
    assert inspect(tmp_path / "none.tif").returncode == 3
    tifffile.imwrite(path, color(), photometric="rgb")
    assert inspect(path, "--scene", "4").returncode == 2
