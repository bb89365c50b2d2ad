"""Vessels, adnexa and clefts of the dermis: things that are neither epidermis nor nerve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from shapely import contains_xy

from ienfd.phantom.anatomy import Skin
from ienfd.phantom.curves import FloatArray, smooth_noise
from ienfd.phantom.spec import PhantomSpec

__all__ = ["Structure", "place_structures", "ring"]


@dataclass(frozen=True, eq=False)
class Structure:
    """An oval structure in the dermis, or a cleft.

    Parameters
    ----------
    kind : {"vessel", "adnexum", "cleft"}
        A vessel has a lumen and a wall; an adnexum (follicle or sweat duct) is an island of epithelium with a
        narrow lumen; a cleft is empty.
    center_um : (2,) ndarray
        Row, column.
    half_axes_um : (float, float)
        Long and short half-axis of the outside.
    angle : float
        Direction of the long axis in radians (0 along the columns).
    wall_um : float
        Thickness of wall or epithelium.
    harmonics : (4, 2) ndarray
        Irregularity of the outline.
    filled : float
        Blood in the lumen, 0 to 1.
    """

    kind: Literal["vessel", "adnexum", "cleft"]
    center_um: FloatArray
    half_axes_um: tuple[float, float]
    angle: float
    wall_um: float
    harmonics: FloatArray
    filled: float

    def radius(self, rows_um: FloatArray, cols_um: FloatArray) -> FloatArray:
        """Relative radius: one on the outline, less inside."""
        down, right = rows_um - self.center_um[0], cols_um - self.center_um[1]
        c, s = np.cos(self.angle), np.sin(self.angle)
        along, across = c * right + s * down, c * down - s * right
        theta = np.arctan2(across / self.half_axes_um[1], along / self.half_axes_um[0])
        wobble = 1.0 + sum(
            a * np.cos((k + 2) * theta) + b * np.sin((k + 2) * theta)
            for k, (a, b) in enumerate(self.harmonics)
        )
        plain = np.hypot(along / self.half_axes_um[0], across / self.half_axes_um[1])
        return np.asarray(plain / np.maximum(wobble, 0.2), dtype=np.float64)


def ring(structure: Structure, relative: float, count: int) -> FloatArray:
    """(count, 2) points on the outline scaled by `relative`."""
    theta = np.linspace(0, 2 * np.pi, count, endpoint=False)
    wobble = 1.0 + sum(
        a * np.cos((k + 2) * theta) + b * np.sin((k + 2) * theta)
        for k, (a, b) in enumerate(structure.harmonics)
    )
    along = structure.half_axes_um[0] * np.cos(theta) * wobble * relative
    across = structure.half_axes_um[1] * np.sin(theta) * wobble * relative
    c, s = np.cos(structure.angle), np.sin(structure.angle)
    return np.stack(
        [structure.center_um[0] + s * along + c * across, structure.center_um[1] + c * along - s * across],
        axis=1,
    )


def place_structures(spec: PhantomSpec, skin: Skin, rng: np.random.Generator) -> list[Structure]:
    """Structures of one piece of skin; none touches the epidermis."""
    length_mm = (skin.span[1] - skin.span[0]) / 1000
    out: list[Structure] = []
    wanted: list[tuple[Literal["vessel", "adnexum", "cleft"], float]] = [
        ("vessel", spec.vessels_per_mm), ("adnexum", spec.adnexa_per_mm), ("cleft", spec.clefts_per_mm),
    ]  # fmt: skip
    for kind, per_mm in wanted:
        for _ in range(int(rng.poisson(per_mm * length_mm))):
            structure = _draw(kind, spec, skin, rng)
            outside = ring(structure, 1.0, 24)
            clear = 5.0 if kind == "vessel" else 25.0
            if skin.mean_height_um(outside).max() > -clear:
                continue
            if not contains_xy(skin.polygon, outside[:, 1], outside[:, 0]).all():
                continue
            if all(
                np.linalg.norm(structure.center_um - other.center_um) > _apart(structure, other)
                for other in out
            ):
                out.append(structure)
    return out


def _apart(one: Structure, other: Structure) -> float:
    if "cleft" in (one.kind, other.kind):
        return 0.7 * (one.half_axes_um[1] + other.half_axes_um[1])
    return 1.15 * (one.half_axes_um[0] + other.half_axes_um[0])


def _draw(
    kind: Literal["vessel", "adnexum", "cleft"], spec: PhantomSpec, skin: Skin, rng: np.random.Generator
) -> Structure:
    point, _, up = skin.junction_at(float(rng.uniform(*skin.span)), spec.thickness_um / 2)
    flat = np.arctan2(-up[1] * -1.0, up[0] * -1.0)  # direction of the epidermis: tangent (up[1], -up[0])
    deep = max(60.0, spec.dermis_um)
    harmonics = rng.normal(0, 1, (4, 2)) * np.array([[0.10], [0.06], [0.04], [0.03]])
    if kind == "vessel" and rng.random() < 0.45:  # a capillary of a papilla
        below, long = rng.uniform(12, 40), rng.uniform(5, 16)
        axes, angle, wall = (long, rng.uniform(3.5, 5.5)), flat + np.pi / 2 + rng.normal(0, 0.5), 1.8
    elif kind == "vessel":
        below, long = rng.uniform(50, deep), rng.uniform(9, 32)
        axes, angle, wall = (
            (long, long * rng.uniform(0.35, 0.9)),
            flat + rng.normal(0, 0.5),
            rng.uniform(2.5, 6),
        )
    elif kind == "adnexum":
        below, long = rng.uniform(90, deep + 60), rng.uniform(22, 55)
        axes, angle, wall = (long, long * rng.uniform(0.6, 1.0)), rng.uniform(0, np.pi), rng.uniform(12, 20)
    else:
        below, long = rng.uniform(50, deep), rng.uniform(15, 90)
        axes, angle, wall = (long, rng.uniform(1.5, 7.0)), flat + rng.normal(0, 0.45), 0.0
        harmonics = harmonics * 1.6
    filled = float(rng.uniform(0.3, 1.0)) if kind == "vessel" and rng.random() < 0.35 else 0.0
    half_axes = float(axes[0]), float(axes[1])
    return Structure(kind, point - up * below, half_axes, float(angle), float(wall), harmonics, filled)


def nerve_round(structure: Structure, rng: np.random.Generator, thickness_um: float) -> FloatArray:
    """Course of a nerve along a part of the outline of a structure, (N, 3)."""
    around = ring(structure, 1.0 + rng.uniform(2.5, 7.0) / structure.half_axes_um[1], 240)
    start, length = int(rng.integers(0, 240)), int(rng.uniform(50, 170))
    part = np.roll(around, -start, axis=0)[:length]
    drift = np.stack([smooth_noise(rng, length, 14.0) for _ in range(2)], axis=1) * 1.2
    depth = rng.uniform(0.1, 0.9) * thickness_um + 2.0 * smooth_noise(rng, length, 40.0)
    return np.column_stack([part + drift, np.clip(depth, 0.3, thickness_um - 0.3)])
