"""Lines drawn in noise are traced as fibers; what is no line is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ienfd.geometry import length
from ienfd.nerve.cells import find_cells
from ienfd.nerve.fibers import find_fibers
from ienfd.nerve.field import LineField, line_field
from ienfd.nerve.learned import fiber_planes, weighed
from ienfd.nerve.skeleton import trace_lines
from ienfd.protocol import ImageChoices
from ienfd.result import FiberGraph
from ienfd.section import Calibration, CalibrationSource, Channel, ChannelRole, Section
from ienfd.stain.nerve import NerveSource, work_grid
from ienfd.stain.overview import make_overview, read_overview

PIXEL_UM = 0.45
SIZE = 256


def field_of(drawn: np.ndarray, noise: float = 1.0, band: np.ndarray | None = None) -> LineField:
    rng = np.random.default_rng(3)
    image = 100 + ndimage.gaussian_filter(drawn, 1.2) + rng.normal(0, noise, drawn.shape)
    section = Section(
        image[None, :, :, None].astype(np.float32),
        Calibration(PIXEL_UM, CalibrationSource.OME),
        (Channel("PGP9.5", ChannelRole.NERVE),),
    )
    overview = make_overview(section, read_overview(section), "fluorescence")
    source = NerveSource(section, "fluorescence", overview, work_grid(section))
    band = np.ones(drawn.shape, bool) if band is None else band
    return line_field(source, None, band, (0.5, 0.8))


def traced(drawn: np.ndarray, noise: float = 1.0) -> FiberGraph:
    return find_fibers(field_of(drawn, noise), ImageChoices())


def line(angle_deg: float, half: float = 80.0, bright: float = 60.0) -> np.ndarray:
    drawn = np.zeros((SIZE, SIZE))
    t = np.linspace(-half, half, 1000)
    rows = np.rint(128 + t * np.sin(np.deg2rad(angle_deg))).astype(int)
    cols = np.rint(128 + t * np.cos(np.deg2rad(angle_deg))).astype(int)
    drawn[rows, cols] = bright
    return drawn


def total_um(graph: FiberGraph) -> float:
    return sum(length(branch.path_px) for branch in graph.branches) * PIXEL_UM


@pytest.mark.parametrize("angle_deg", [0.0, 22.5, 45.0, 90.0, 130.0])
def test_a_line_is_one_fiber_of_its_length(angle_deg: float) -> None:
    graph = traced(line(angle_deg))
    assert len(graph.branches) == 1
    assert total_um(graph) == pytest.approx(160 * PIXEL_UM, rel=0.05)
    away = np.deg2rad(angle_deg)
    across = (graph.branches[0].path_px - 128) @ np.array([np.cos(away), -np.sin(away)])
    assert np.abs(across).max() < 2.0
    assert float(np.median(np.abs(across))) < 0.4


def test_a_field_covers_the_band_and_knows_where_it_lies() -> None:
    drawn = np.zeros((700, 800))
    drawn[560, 500:700] = 60.0
    band = np.zeros(drawn.shape, bool)
    band[500:620, 450:750] = True
    field = field_of(drawn, band=band)
    assert field.signal.size < 0.5 * drawn.size
    graph = find_fibers(field, ImageChoices())
    assert len(graph.branches) == 1
    assert graph.branches[0].path_px[:, 0] == pytest.approx(560, abs=1.0)
    assert np.ptp(graph.branches[0].path_px[:, 1]) == pytest.approx(200, rel=0.05)


def test_a_beaded_fiber_is_one_fiber() -> None:
    drawn = line(30.0)
    rows, cols = np.indices(drawn.shape)
    along = (rows - 128) * np.sin(np.deg2rad(30)) + (cols - 128) * np.cos(np.deg2rad(30))
    drawn *= 0.15 + 0.85 * (np.mod(along * PIXEL_UM, 7.0) < 3.0)
    graph = traced(drawn)
    joined = coo_array(
        (np.ones(len(graph.branches)), ([b.start for b in graph.branches], [b.end for b in graph.branches])),
        shape=(len(graph.nodes_px),) * 2,
    )
    assert connected_components(joined, directed=False)[0] == 1
    assert total_um(graph) > 0.85 * 160 * PIXEL_UM


def test_noise_alone_holds_no_fiber() -> None:
    assert traced(np.zeros((SIZE, SIZE))).branches == ()


def test_two_fibers_that_cross_are_two() -> None:
    graph = traced(np.maximum(line(35.0), line(125.0)))
    ends = [{branch.start, branch.end} for branch in graph.branches]
    assert len(graph.branches) == 2
    assert not ends[0] & ends[1]


@pytest.mark.parametrize("apart_um", [1.8, 2.7, 3.6])
@pytest.mark.parametrize("angle_deg", [0.0, 75.0])
def test_two_fibers_side_by_side_are_two(angle_deg: float, apart_um: float) -> None:
    across = np.array([np.cos(np.deg2rad(angle_deg)), -np.sin(np.deg2rad(angle_deg))]) * apart_um / PIXEL_UM
    one = line(angle_deg)
    found = find_fibers(weighed(field_of(one + ndimage.shift(one, across, order=1))), ImageChoices())
    assert len(found.branches) <= 2  # at their ends they may be joined
    assert total_um(found) == pytest.approx(2 * 160 * PIXEL_UM, rel=0.05)


def test_a_fiber_that_forks_is_one() -> None:
    drawn = line(0.0)
    drawn[:, 129:] = 0
    for angle_deg in (25.0, -25.0):
        daughter = line(angle_deg)
        daughter[:, :128] = 0
        drawn = np.maximum(drawn, daughter)
    graph = find_fibers(weighed(field_of(drawn)), ImageChoices())
    degree = np.bincount([node for branch in graph.branches for node in (branch.start, branch.end)])
    assert sorted(degree[degree > 0]) == [1, 1, 1, 3]


def test_a_body_is_a_cell_and_a_fiber_is_not() -> None:
    rows, cols = np.indices((SIZE, SIZE))
    body = 60.0 * (np.hypot(rows - 60, cols - 70) * PIXEL_UM < 4.0)
    field = field_of(np.maximum(body, line(0.0)))
    cells = find_cells(field, np.ones((SIZE, SIZE), bool))
    assert [(round(cell.row_px / 4), round(cell.col_px / 4)) for cell in cells] == [(15, 18)]
    assert cells[0].radius_um == pytest.approx(4.0, abs=1.0)


SKELETONS = {
    "a line": (["#####"], 2, [5]),
    "a corner": (["###", "..#", "..#"], 2, [4]),
    "a fork": (["#...#", ".#.#.", "..#..", "..#..", "..#.."], 4, [3, 3, 3]),
    "one pixel": (["#"], 0, []),
    "nothing": (["..."], 0, []),
}


@pytest.mark.parametrize("name", SKELETONS)
def test_skeletons(name: str) -> None:
    rows, nodes_expected, lengths = SKELETONS[name]
    mask = np.pad(np.array([[c == "#" for c in row] for row in rows]), 2)
    nodes, paths = trace_lines(mask)
    assert len(nodes) == nodes_expected
    assert sorted(len(path.pixels) for path in paths) == sorted(lengths)


def beads(drawn: np.ndarray) -> np.ndarray:
    """A line that swells every 5 um or so."""
    rows, cols = np.indices(drawn.shape)
    return np.asarray(drawn * (0.6 + 0.8 * (np.hypot(rows - 128, cols - 128) % 11 < 4)))


def dendritic_cell() -> np.ndarray:
    """A body of 8 um with four processes of 12 um."""
    rows, cols = np.indices((SIZE, SIZE)) - 128
    drawn = 14.0 * (np.hypot(rows, cols) * PIXEL_UM < 4)
    for angle_deg in (10.0, 100.0, 190.0, 280.0):
        t = np.linspace(0, 36, 200)
        angle = np.deg2rad(angle_deg)
        at = np.rint(128 + t * np.sin(angle)).astype(int), np.rint(128 + t * np.cos(angle)).astype(int)
        drawn[at] = np.linspace(50.0, 15.0, 200)
    return drawn


@pytest.mark.parametrize("angle_deg", [0.0, 22.5, 45.0, 90.0, 130.0])
def test_the_network_leaves_a_fiber_as_it_is(angle_deg: float) -> None:
    field = field_of(beads(line(angle_deg)))
    graph = find_fibers(weighed(field), ImageChoices())
    assert total_um(graph) == pytest.approx(160 * PIXEL_UM, rel=0.1)


def test_the_network_tells_a_dendritic_cell_from_a_fiber() -> None:
    field = field_of(dendritic_cell())
    as_filters_see_it = total_um(find_fibers(field, ImageChoices()))
    weighed_um = total_um(find_fibers(weighed(field), ImageChoices()))
    assert as_filters_see_it > 30
    assert weighed_um < 0.25 * as_filters_see_it


def test_what_the_network_is_shown_knows_no_brightness() -> None:
    field = field_of(line(30.0))
    brighter = replace(field, signal=50 * field.signal + 700)
    np.testing.assert_allclose(fiber_planes(field), fiber_planes(brighter), atol=0.02)


def test_outside_of_the_band_there_is_nothing() -> None:
    band = np.zeros((SIZE, SIZE), bool)
    band[100:160] = True
    field = field_of(line(90.0), band=band)
    contrast = weighed(field).contrast
    assert contrast[field.band].max() > 10
    assert (contrast[~field.band] == 0).all()


def test_where_there_is_no_signal_the_network_sees_no_fiber() -> None:
    field = field_of(np.zeros((SIZE, SIZE)), noise=0.0)
    assert not find_fibers(weighed(field), ImageChoices()).branches
    none = replace(field, band=np.zeros(field.band.shape, bool))
    assert (weighed(none).contrast == 0).all()
