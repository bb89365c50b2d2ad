"""The truth of a phantom, checked with means that its making does not use."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from shapely import LineString, Point

from ienfd.phantom import Phantom, PhantomSpec, make, random_spec
from ienfd.phantom.curves import left_normals, polyline_length, smooth_polyline
from ienfd.phantom.scene import build_scene
from ienfd.phantom.truth import describe

# a junction that is the same at every depth, so that plain planar geometry can check the fibers
PLAIN = PhantomSpec(
    stain="fluorescence",
    length_mm=0.5,
    dermis_um=150.0,
    pixel_size_um=0.6,
    junction_tilt=0.0,
    planes="single",
    density_per_mm=30.0,
    bundles_per_mm=12.0,
    fragments_per_mm=20.0,
    approaching_per_mm=20.0,
    grazing_per_mm=10.0,
    rete_lean=0.8,
    splitting=0.4,
    elastin_per_mm=0.0,
    open_left=False,
)


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return make(PLAIN, 5)


def _line(points: np.ndarray) -> LineString:
    return LineString(points[:, 1::-1])


def test_every_crossing_lies_on_the_junction_and_on_its_fiber(phantom: Phantom) -> None:
    truth = phantom.truth
    assert len(truth.crossings) > 5
    fibers = {fiber.fiber_id: fiber for fiber in truth.fibers}
    junction = _line(truth.junctions[0])
    for crossing in truth.crossings:
        point = Point(crossing.col, crossing.row)
        assert junction.distance(point) * truth.pixel_size_um < 0.5
        fiber = fibers[crossing.fiber_id]
        assert fiber.kind == "crossing"
        assert min(_line(path).distance(point) for path in fiber.paths) * truth.pixel_size_um < 0.5


def test_number_of_crossings_is_number_of_passages(phantom: Phantom) -> None:
    truth = phantom.truth
    junction = _line(truth.junctions[0])
    for fiber in truth.fibers:
        passages = 0
        for path in fiber.paths:
            line = _line(path)
            met = line.intersection(junction.buffer(3.0 / truth.pixel_size_um, cap_style="flat"))
            if not line.crosses(junction):
                continue
            passages += 1
            assert met.length > 0
        counted = sum(crossing.fiber_id == fiber.fiber_id for crossing in truth.crossings)
        if fiber.kind == "crossing":
            assert passages >= counted - 1  # a passage at the very border of the image may be cut off
        else:
            assert passages == counted == 0, fiber.kind


@pytest.mark.parametrize(
    ("kind", "side"),
    [("approaching", -1), ("grazing", -1), ("dermal", -1), ("plexus", -1), ("bundle", -1), ("fragment", 1)],
)
def test_fibers_that_do_not_count_keep_clear_of_the_junction(phantom: Phantom, kind: str, side: int) -> None:
    truth = phantom.truth
    junction = truth.junctions[0] * truth.pixel_size_um
    line = LineString(junction[:, ::-1])
    normals = left_normals(junction)
    found = [fiber for fiber in truth.fibers if fiber.kind == kind]
    assert found, f"no {kind} fiber in this phantom"
    for fiber in found:
        for path in fiber.paths:
            for point in path[::4, :2] * truth.pixel_size_um:
                assert line.distance(Point(point[::-1])) > 2.0
                nearest = int(np.argmin(((junction - point) ** 2).sum(axis=1)))
                if 5 < nearest < len(junction) - 5:
                    assert side * float((point - junction[nearest]) @ normals[nearest]) > 0


def test_approaching_fibers_end_near_the_junction(phantom: Phantom) -> None:
    truth = phantom.truth
    junction = _line(truth.junctions[0])
    gaps = [
        min(_line(path).distance(junction) for path in fiber.paths) * truth.pixel_size_um
        for fiber in truth.fibers
        if fiber.kind == "approaching"
    ]
    assert min(gaps) > 2.0
    assert np.median(gaps) < 10.0


def test_counting_fibers_reach_both_sides(phantom: Phantom) -> None:
    truth = phantom.truth
    pixel = truth.pixel_size_um
    junction = truth.junctions[0] * pixel
    normals = left_normals(junction)
    height = np.array(truth.shape) * pixel
    fibers = {fiber.fiber_id: fiber for fiber in truth.fibers}
    for crossing in truth.crossings:
        here = np.array([crossing.row, crossing.col]) * pixel
        if np.any(here < 30) or np.any(here > height - 30):
            continue  # the image may cut the fiber
        points = np.concatenate(fibers[crossing.fiber_id].paths)[:, :2] * pixel
        nearest = ((points[:, None] - junction[None]) ** 2).sum(axis=2)
        signed = np.sqrt(nearest.min(axis=1)) * np.sign(
            np.einsum("ij,ij->i", points - junction[nearest.argmin(axis=1)], normals[nearest.argmin(axis=1)])
        )
        assert signed.max() > 5.0
        assert signed.min() < -5.0


def test_curves_run_with_the_epidermis_on_their_left() -> None:
    for rotation in (0.0, 77.0, 201.0):
        truth = make(replace(PLAIN, rotation_deg=rotation, length_mm=0.3, thickness_um=5.0), 2).truth
        junction, surface = truth.junctions[0], truth.surfaces[0]
        middle = len(junction) // 2
        towards = surface[np.argmin(((surface - junction[middle]) ** 2).sum(axis=1))] - junction[middle]
        assert towards @ left_normals(junction)[middle] > 0
        assert np.argmin(((junction - surface[0]) ** 2).sum(axis=1)) < middle


def test_lengths_are_those_of_the_curves(phantom: Phantom) -> None:
    truth = phantom.truth
    surface = sum(polyline_length(c) for c in truth.surfaces) * truth.pixel_size_um / 1000
    assert truth.surface_length_mm == pytest.approx(surface, rel=0.05)
    assert truth.chord_length_mm <= truth.surface_length_mm <= truth.junction_length_mm
    assert truth.surface_length_mm == pytest.approx(PLAIN.length_mm, rel=0.25)


@pytest.mark.parametrize("angle", [0.0, 22.5, 45.0])
def test_smoothing_keeps_straight_lines_and_their_ends(angle: float) -> None:
    direction = np.array([np.sin(np.deg2rad(angle)), np.cos(np.deg2rad(angle))])
    line = np.linspace(0, 300, 40)[:, None] * direction
    assert polyline_length(smooth_polyline(line, 15.0)) == pytest.approx(300.0, rel=1e-6)


def test_smoothing_takes_ripples_and_leaves_waves() -> None:
    x = np.linspace(0, 2000, 4001)
    ripple = np.stack([2.0 * np.sin(2 * np.pi * x / 12), x], axis=1)
    wave = np.stack([20.0 * np.sin(2 * np.pi * x / 200), x], axis=1)
    assert polyline_length(ripple) > 2200
    assert polyline_length(smooth_polyline(ripple, 15.0)) == pytest.approx(2000, rel=0.002)
    assert polyline_length(smooth_polyline(wave, 5.0)) == pytest.approx(polyline_length(wave), rel=0.01)


def test_no_crossing_at_density_zero_but_nerves_below() -> None:
    truth = make(
        replace(PLAIN, density_per_mm=0.0, length_mm=0.3, thickness_um=10.0, plexus_per_mm=20.0), 1
    ).truth
    assert truth.crossings == ()
    assert any(fiber.kind == "plexus" for fiber in truth.fibers)


def test_the_number_of_crossings_follows_the_density() -> None:
    spec = PhantomSpec(
        stain="fluorescence",
        length_mm=1.0,
        density_per_mm=10.0,
        fragments_per_mm=0.0,
        approaching_per_mm=0.0,
        grazing_per_mm=0.0,
        plexus_per_mm=0.0,
        langerhans_per_mm2=0.0,
        melanocytes_per_mm=0.0,
    )
    scenes = [build_scene(spec, np.random.default_rng(seed)) for seed in range(12)]
    truths = [describe(spec, 0, scene, (10_000, 10_000), [9.0] * len(scene.crossings)) for scene in scenes]
    total = sum(len(t.crossings) for t in truths)
    length = sum(t.surface_length_mm for t in truths)
    assert 7.5 < total / length < 12.5  # 120 expected; clustering widens Poisson


def test_random_specs_are_valid_and_differ() -> None:
    specs = [random_spec(np.random.default_rng(seed)) for seed in range(60)]
    assert {spec.stain for spec in specs} == {"bright-field", "fluorescence"}
    assert {spec.planes for spec in specs} == {"single", "stack", "projection"}
    assert len({spec.counterstain for spec in specs}) == 5
    assert len({spec.rotation_deg for spec in specs}) > 50
    assert all(spec.planes != "single" for spec in specs if spec.thickness_um > 20)
    assert random_spec(np.random.default_rng(3)) == random_spec(np.random.default_rng(3))


def test_a_spec_refuses_what_cannot_be() -> None:
    with pytest.raises(ValueError, match="pieces"):
        PhantomSpec(pieces=3)
    with pytest.raises(ValueError, match="pixel_size_um"):
        PhantomSpec(pixel_size_um=0.0)
    with pytest.raises(ValueError, match="density_per_mm"):
        PhantomSpec(density_per_mm=-1.0)
