"""The measurement of speed: the section it is made on, and the watch; nothing here is timed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import ienfd
from benchmarks.speed import __main__ as command
from benchmarks.speed.section import LargeSection, make_section, write_section
from benchmarks.speed.watch import Watched, watch

SMALL = LargeSection(height=700, width=1600, pixel_size_um=0.6, glass_um=120)


def test_the_section_is_glass_epidermis_and_dermis_with_brown_fibers() -> None:
    image = make_section(SMALL)
    assert image.shape == (700, 1600, 3)
    np.testing.assert_array_equal(image, make_section(SMALL))
    glass, dermis = image[:20].reshape(-1, 3).mean(axis=0), image[-60:].reshape(-1, 3).mean(axis=0)
    assert glass.min() > 235 > dermis.max() > 150
    blue = image[..., 2].astype(int)
    brown = (blue < 130) & (image[..., 0].astype(int) - blue > 30)
    assert 0.0005 < brown.mean() < 0.05
    assert not brown[:20].any()


def test_the_strips_are_sewn_without_a_step() -> None:
    level = make_section(SMALL)[-200:].astype(float).mean(axis=(0, 2))
    step = abs(level[1500:1510].mean() - level[1490:1500].mean())
    assert step < 3 * np.std(level)


def test_the_file_has_its_scale(tmp_path: Path) -> None:
    write_section(tmp_path / "large.ome.tif", SMALL)
    section = ienfd.read(tmp_path / "large.ome.tif")
    assert (section.shape, section.pixel_size_um) == ((700, 1600), 0.6)


def test_the_memory_of_descendants_counts() -> None:
    holds = "import time; held = bytearray(b'1') * 150_000_000; time.sleep(0.4)"
    parent = f'import subprocess, sys; subprocess.run([sys.executable, "-c", {holds!r}]); print("done")'
    watched = watch([sys.executable, "-c", parent])
    assert watched.output.strip() == "done"
    assert 150_000_000 < watched.peak_bytes < 600_000_000
    assert watched.seconds > 0.4
    assert watched.cpu_seconds > 0


def test_a_command_that_fails_is_not_measured() -> None:
    with pytest.raises(RuntimeError, match=r"(?s)ended with 3.*out of paper"):
        watch([sys.executable, "-c", "import sys; print('out of paper'); sys.exit(3)"])


@pytest.mark.parametrize(("seconds", "gigabytes", "status"), [(14.9, 1.4, 0), (15.1, 1.4, 1), (14.9, 1.6, 1)])
def test_medians_are_held_against_the_targets(
    seconds: float, gigabytes: float, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = iter([(seconds, gigabytes), (99.0, 9.0), (1.0, 0.1)])

    def watched(given: list[str]) -> Watched:
        assert given[-5:] == ["--workers", "1", "--profile", "--progress", "none"]
        wall, peak = next(runs)
        return Watched(wall, wall / 2, int(peak * 1e9), "")

    monkeypatch.setattr(command, "watch", watched)
    monkeypatch.setattr(command, "yardstick_seconds", lambda: 2.0)
    (tmp_path / "large_12000x4000.ome.tif").touch()
    assert command.main([str(tmp_path), "--repeat", "3", "--strict"]) == status
    summary = json.loads((tmp_path / "speed.json").read_text("utf-8"))
    assert (summary["seconds"], summary["ratio"]) == (seconds, seconds / 2)
    assert summary["within_targets"] is (status == 0)
    assert len(summary["runs"]) == 3
