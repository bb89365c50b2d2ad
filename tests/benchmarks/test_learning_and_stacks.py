"""The reviewer who is always right, and a stack without its depth."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import tifffile

import ienfd
from benchmarks.accuracy.images import image_path, truth_path
from benchmarks.accuracy.plan import PlannedSection
from benchmarks.accuracy.truth import TrueSection
from benchmarks.learning.__main__ import corrections
from benchmarks.stacks.__main__ import project_all
from ienfd.correction.commands import Command
from ienfd.result import Crossing, Findings, SectionResult, Status

LINE = np.array([[50.0, 0.0], [50.0, 1000.0]])


def crossing(col: float, counted: bool, reason: str) -> Crossing:
    return Crossing(str(col), "f", 0, 50.0, col, None, col, counted, reason, 0.7, 9.0, 9.0, 8.0)


def test_only_what_differs_from_the_truth_is_corrected() -> None:
    ours = (
        crossing(100.0, True, "crosses"),  # right
        crossing(200.0, True, "crosses"),  # wrong
        crossing(300.0, False, "too_faint"),  # right, but left out
        crossing(400.0, False, "too_faint"),  # wrong, and left out
        crossing(500.0, False, "approaching"),  # a matter of the rules
    )
    found = Findings("s", "one", "fluorescence", 1.0, (100, 1000), ())
    places = np.array([(52.0, 101.0), (49.0, 303.0), (50.0, 500.0)])
    truth = TrueSection("fl", "single", 1.0, places, np.ones(3, bool), (LINE,), (LINE,), (), 1.0, 1.0)
    edits = corrections(SectionResult(found, Status.OK, None, ours, None), truth)
    assert [(edit.command, edit.object_id) for edit in edits[:2]] == [
        (Command.REMOVE_CROSSING, "200.0"),
        (Command.RECLASSIFY_CROSSING, "300.0"),
    ]
    (added,) = edits[2:]
    assert added.command is Command.ADD_CROSSING
    assert ((added.after or {})["row_px"], (added.after or {})["col_px"]) == (50.0, 500.0)


def test_a_projection_is_the_maximum_over_depth_with_all_that_the_file_says(tmp_path: Path) -> None:
    section = PlannedSection("phantom", "fluorescence", None, 7)
    stacks, out = tmp_path / "stack", tmp_path / "projection"
    for folder in ("images", "truth"):
        (stacks / folder).mkdir(parents=True)
    pixels = np.random.default_rng(1).integers(0, 250, (2, 5, 60, 80), dtype=np.uint8)
    tifffile.imwrite(
        image_path(stacks, section), pixels, photometric="minisblack", ome=True,
        metadata={"axes": "CZYX", "PhysicalSizeX": 0.4, "PhysicalSizeY": 0.4,
                  "Channel": {"Name": ["PGP9.5", "collagen IV"]}},
    )  # fmt: skip
    truth_path(stacks, section).write_text(json.dumps({"crossings": []}))
    project_all(stacks, out, [section])
    stack, flat = ienfd.read(image_path(stacks, section)), ienfd.read(image_path(out, section))
    assert flat.planes == 1 < stack.planes
    assert np.array_equal(flat.pixels[0], stack.pixels.max(axis=0))
    assert flat.calibration.pixel_size_um == stack.calibration.pixel_size_um
    assert [c.name for c in flat.channels] == [c.name for c in stack.channels] == ["PGP9.5", "collagen IV"]
    assert truth_path(out, section).read_text() == truth_path(stacks, section).read_text()
