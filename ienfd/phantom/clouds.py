"""Fibers as clouds of points, and the shapes that other clouds are made of."""

from __future__ import annotations

import numpy as np

from ienfd.phantom.curves import FloatArray, resample, smooth_noise
from ienfd.phantom.growth import Fiber
from ienfd.phantom.optics import Cloud, merge_clouds
from ienfd.phantom.spec import PhantomSpec

__all__ = ["LINE", "ball", "fiber_clouds", "many_balls", "tube"]

LINE = 1.13  # weight per um that gives a thin line a peak of one at a blur of 0.45 um


def tube(
    rng: np.random.Generator, path: FloatArray, radius: FloatArray, weight: FloatArray, per_um: int
) -> Cloud:
    """Points at random inside a tube about `path`; `radius` and `weight` (per um) at its vertices."""
    arc = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    count = max(int(arc[-1] * per_um), 4)
    at = np.sort(rng.uniform(0, arc[-1], count))
    center = np.stack([np.interp(at, arc, column) for column in path.T], axis=1)
    offset = rng.standard_normal((count, 3))
    offset *= (np.cbrt(rng.uniform(0, 1, count)) / np.maximum(np.linalg.norm(offset, axis=1), 1e-9))[:, None]
    points = center + offset * np.interp(at, arc, radius)[:, None]
    return Cloud(points, np.interp(at, arc, weight) * arc[-1] / count)


def _beads(rng: np.random.Generator, arc: FloatArray, beading: float) -> tuple[FloatArray, FloatArray]:
    """Relative brightness along a fiber, and how much of a varicosity is there (0 to 1)."""
    swelling = np.zeros(len(arc))
    height = np.zeros(len(arc))
    at = float(rng.uniform(0, 6))
    while at < arc[-1]:
        size = rng.uniform(0.45, 0.75)
        bump = np.exp(-0.5 * ((arc - at) / size) ** 2)
        swelling = np.maximum(swelling, bump)
        height += bump * rng.lognormal(0.0, 0.3)
        at += float(np.clip(rng.lognormal(np.log(5.5), 0.45), 3.0, 12.0))
    between = (1 - beading) + 0.06
    patchy = np.clip(1 + 0.3 * smooth_noise(rng, len(arc), 16.0), 0.35, 1.8)
    return (between * patchy + (0.6 + 0.7 * beading) * height), swelling


def fiber_clouds(spec: PhantomSpec, fibers: list[Fiber], rng: np.random.Generator) -> list[Cloud]:
    """A cloud for each fiber; a typical varicosity of weight one has a peak of about one in focus."""
    clouds = []
    for fiber in fibers:
        parts = []
        beading = spec.beading * (0.45 if fiber.kind in ("plexus", "bundle") else 1.0)
        gain = LINE * fiber.brightness * (0.4 if fiber.kind == "bundle" else 1.0)
        for path in fiber.paths_um:
            fine = resample(path, 0.25)
            arc = np.arange(len(fine), dtype=np.float64) * 0.25
            profile, swelling = _beads(rng, arc, beading)
            # a strand of the plexus leaves the section gradually, a fiber inside the epidermis ends
            fade = 18.0 if fiber.kind in ("plexus", "bundle") else 1.5
            taper = np.clip(np.minimum(arc, arc[-1] - arc) / fade + (0.05 if fade > 2 else 0.3), 0, 1)
            radius = 0.5 * fiber.caliber_um * (0.65 + 0.75 * swelling)
            parts.append(tube(rng, fine, radius, gain * profile * taper, 60))
        clouds.append(merge_clouds(parts))
    return clouds


def ball(rng: np.random.Generator, center: FloatArray, axes: FloatArray, count: int, weight: float) -> Cloud:
    """Points inside an ellipsoid; rows of `axes` are its half-axes; `weight` is its mean projection."""
    offset = rng.standard_normal((count, 3))
    offset *= (np.cbrt(rng.uniform(0, 1, count)) / np.maximum(np.linalg.norm(offset, axis=1), 1e-9))[:, None]
    lengths = np.sort(np.linalg.norm(axes, axis=1))
    area = np.pi * lengths[-1] * lengths[-2]
    return Cloud(center + offset @ axes, np.full(count, weight * area / count))


def many_balls(
    rng: np.random.Generator, centers: FloatArray, normals: FloatArray, along: FloatArray | float,
    across: FloatArray | float, count: int,
) -> Cloud:  # fmt: skip
    """Ellipsoids whose long half-axis lies along the tangent (perpendicular to `normals`)."""
    total = len(centers)
    if total == 0:
        return Cloud(np.empty((0, 3)), np.empty(0))
    angle = rng.normal(0, 0.3, total)
    tangent = np.stack([normals[:, 1], -normals[:, 0]], axis=1)
    c, s = np.cos(angle)[:, None], np.sin(angle)[:, None]
    long, wide = c * tangent + s * normals, c * normals - s * tangent
    a = np.broadcast_to(along, total) * rng.uniform(0.85, 1.15, total)
    b = np.broadcast_to(across, total) * rng.uniform(0.85, 1.15, total)
    offset = rng.standard_normal((total, count, 3))
    radius = np.cbrt(rng.uniform(0, 1, (total, count)))
    offset *= (radius / np.maximum(np.linalg.norm(offset, axis=2), 1e-9))[..., None]
    flat = (
        offset[..., :1] * (a[:, None] * long)[:, None, :] + offset[..., 1:2] * (b[:, None] * wide)[:, None, :]
    )
    points = np.empty((total, count, 3))
    points[..., :2] = centers[:, None, :2] + flat
    points[..., 2] = centers[:, None, 2] + offset[..., 2] * 2.8
    strength = rng.lognormal(0, 0.25, total)
    weights = np.repeat(strength * np.pi * a * b / count, count)
    return Cloud(points.reshape(-1, 3), weights)
