"""The second generator gives the same section for the same seed, and its truth fits its picture."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from benchmarks.second_look import BRIGHT_FIELD, FLUORESCENCE, make
from benchmarks.second_look.__main__ import main

SMALL: dict[str, Any] = {"length_um": 260.0, "pixel_size_um": 0.65}


def _distance_to_lines(point: np.ndarray, lines: list[list[list[float]]]) -> float:
    best = np.inf
    for line in lines:
        at = np.asarray(line)
        start, step = at[:-1], np.diff(at, axis=0)
        along = np.clip(((point - start) * step).sum(1) / np.maximum((step**2).sum(1), 1e-12), 0, 1)
        best = min(best, np.hypot(*(start + along[:, None] * step - point).T).min())
    return float(best)


def _assert_truth_fits(pixels: np.ndarray, meta: dict[str, Any], truth: dict[str, Any]) -> None:
    shape = pixels.shape[:2] if meta["rgb"] else pixels.shape[1:]
    assert list(shape) == truth["shape"]
    assert truth["junctions"]
    assert truth["surfaces"]
    for name in ("junctions", "surfaces"):
        for line in truth[name]:
            at = np.asarray(line)
            assert (at >= 0).all()
            assert (at <= np.array(shape) - 1).all()
    margin = 6.0 / meta["pixel_size_um"]
    for crossing in np.asarray(truth["crossings"]).reshape(-1, 2):
        assert (crossing >= margin).all()
        assert (crossing <= np.array(shape) - 1 - margin).all()
        assert _distance_to_lines(crossing, truth["junctions"]) * meta["pixel_size_um"] < 0.2
    crossing_fibers = [fiber for fiber in truth["fibers"] if fiber["kind"] == "crossing"]
    assert len(crossing_fibers) == len(truth["crossings"])


@pytest.mark.parametrize("family", ["fl-pgp", "fl-pgp-col4-dapi", "bf-dab", "bf-vip-methylgreen"])
def test_truth_fits_the_picture(family: str) -> None:
    pixels, meta, truth = make(11, family=family, **SMALL)
    assert truth["family"] == family
    assert pixels.dtype in (np.uint8, np.uint16)
    assert len(np.unique(pixels)) > 50
    _assert_truth_fits(pixels, meta, truth)


def test_truth_fits_over_many_seeds() -> None:
    found = 0
    for seed in range(20, 26):
        pixels, meta, truth = make(seed, **SMALL)
        _assert_truth_fits(pixels, meta, truth)
        found += len(truth["crossings"])
    assert found > 0


def test_a_crossing_is_visible_on_both_sides() -> None:
    pixels, meta, truth = make(21, family="fl-pgp", **SMALL)
    image = pixels[0].astype(float)
    for fiber in truth["fibers"]:
        if fiber["kind"] != "crossing":
            continue
        length = np.hypot(*np.diff(np.asarray(fiber["points"]), axis=0).T).sum() * meta["pixel_size_um"]
        assert length >= 12.0
    rows, cols = np.rint(np.asarray(truth["crossings"]).reshape(-1, 2)).astype(int).T
    assert rows.size > 0
    bright = [image[r - 1 : r + 2, c - 1 : c + 2].max() for r, c in zip(rows, cols, strict=True)]
    around = [np.median(image[r - 12 : r + 13, c - 12 : c + 13]) for r, c in zip(rows, cols, strict=True)]
    assert np.mean(np.array(bright) > np.array(around)) > 0.8


def test_same_seed_same_section() -> None:
    first, second = (make(5, **SMALL) for _ in range(2))
    np.testing.assert_array_equal(first[0], second[0])
    assert first[1:] == second[1:]
    other = make(7, **SMALL)
    assert other[2]["junctions"] != first[2]["junctions"]


def test_seeds_take_turns_over_stains_and_families() -> None:
    with pytest.raises(ValueError, match="stain"):
        make(0, "fluoresence")
    with pytest.raises(ValueError, match="family"):
        make(0, family="bf-none")
    assert make(0, **SMALL)[2]["stain"] == "fluorescence"
    assert make(1, **SMALL)[2]["stain"] == "bright-field"
    assert not set(FLUORESCENCE) & set(BRIGHT_FIELD)


def test_files_carry_scale_and_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ["second_look", str(tmp_path), "--count", "1", "--seed", "3"]
    arguments += ["--family", "fl-pgp-col4", "--length-um", "260", "--pixel-size-um", "0.65"]
    monkeypatch.setattr(sys, "argv", arguments)
    main()
    (path,) = (tmp_path / "images").glob("*.tif")
    truth = json.loads((tmp_path / "truth" / f"{path.name.removesuffix('.ome.tif')}.json").read_text("utf-8"))
    with tifffile.TiffFile(path) as tif:
        described = tif.ome_metadata or ""
        assert 'PhysicalSizeX="0.65"' in described
        assert described.count("<Channel ") == 2
        assert "Name=" in described
        assert list(tif.series[0].shape[1:]) == truth["shape"]
