"""The three lengths of the epidermis, and what exclusions take from each of them.

"Smoothed at w um" means: smoothed along its arc length with a Gaussian whose standard deviation is
w / 2, so that w is the width of the kernel between its points of inflection. The ends of a curve
stay where they are.

Exclusions are ranges along the junction. They are carried over to the other lines point by point:
a place on the junction corresponds to the nearest place of the surface, made monotone by isotonic
regression (under an overhanging rete ridge the nearest place would run backwards), and its ends to
the ends of the surface. The surface and its chord correspond by construction.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from scipy.optimize import isotonic_regression

from ienfd.geometry import FloatArray, Projector, arc_lengths, length, points_at, resample, smooth_even
from ienfd.protocol import LengthLine
from ienfd.result import Lengths, Piece, Stretch

__all__ = [
    "SMOOTHED_AT_UM",
    "effective_exclusions",
    "line_lengths_um",
    "measure",
    "reason_at",
    "smooth_at",
    "stretch_outline_px",
]

SMOOTHED_AT_UM: dict[LengthLine, float] = {"surface": 15.0, "junction": 5.0, "chord": 200.0}
"""Width of the smoothing kernel of each line in micrometers."""

_JUNCTION_STEP_UM = 0.5  # a fifth of the kernel's standard deviation
_SURFACE_STEP_UM = 1.5
_MATCH_STEP_UM = 4.0  # places of the junction at which the surface is looked up

_PRECEDENCE = {"excluded_stretch": 0, "appendage": 1, "junction_low_confidence": 3, "cut_edge": 4}
_OTHER_REASONS = 2


def effective_exclusions(
    pieces: Sequence[Piece],
    exclusions: Iterable[Stretch],
    *,
    pixel_size_um: float,
    cut_edge_um: float,
) -> tuple[Stretch, ...]:
    """All stretches of junction that are not evaluated, disjoint and in order.

    Lengths and counting both take their exclusions from here: what is taken from the numerator is
    taken from the denominator.

    Parameters
    ----------
    pieces : sequence of Piece
        Stretches of epidermis.
    exclusions : iterable of Stretch
        What image analysis or a person excluded; may overlap and reach beyond the ends.
    pixel_size_um : float
        Pixel edge in micrometers.
    cut_edge_um : float
        Length of junction left out at every cut end of the tissue.

    Returns
    -------
    tuple of Stretch
        Where several reasons overlap, a person's exclusion comes first, then an appendage, then an
        uncertain junction, then a cut end; neighbors with the same reason are one stretch.

    Raises
    ------
    ValueError
        If a stretch names a piece that does not exist or runs backwards.
    """
    wanted = list(exclusions)
    for stretch in wanted:
        if not 0 <= stretch.piece < len(pieces):
            raise ValueError(f"{stretch} names a piece that does not exist; there are {len(pieces)}")
        if not stretch.start_um <= stretch.end_um:
            raise ValueError(f"{stretch} runs backwards")
    out: list[Stretch] = []
    for index, piece in enumerate(pieces):
        total = length(piece.junction_px) * pixel_size_um
        ours = [stretch for stretch in wanted if stretch.piece == index]
        if cut_edge_um > 0 and piece.cut_ends[0]:
            ours.append(Stretch(index, 0.0, cut_edge_um, "cut_edge"))
        if cut_edge_um > 0 and piece.cut_ends[1]:
            ours.append(Stretch(index, total - cut_edge_um, total, "cut_edge"))
        out += _disjoint(ours, index, total)
    return tuple(out)


def reason_at(stretches: Iterable[Stretch], piece: int, position_um: float) -> str | None:
    """Reason of the stretch that holds this place of the junction, or None."""
    for stretch in stretches:
        if stretch.piece == piece and stretch.start_um <= position_um <= stretch.end_um:
            return stretch.reason
    return None


def measure(
    pieces: Sequence[Piece],
    exclusions: Iterable[Stretch],
    *,
    pixel_size_um: float,
    line: LengthLine,
    cut_edge_um: float,
) -> Lengths:
    """Measure surface, junction and chord, and what of `line` is evaluated.

    Parameters
    ----------
    pieces : sequence of Piece
        Stretches of epidermis; their lengths add up.
    exclusions : iterable of Stretch
        Stretches of junction that are not evaluated.
    pixel_size_um : float
        Pixel edge in micrometers.
    line : {"surface", "junction", "chord"}
        Line on which the excluded and the evaluable length are given.
    cut_edge_um : float
        Length of junction left out at every cut end of the tissue.

    Returns
    -------
    Lengths
        In millimeters. `excluded_mm + evaluable_mm` is the whole length of `line`.

    Raises
    ------
    ValueError
        If a stretch names a piece that does not exist or runs backwards.
    """
    stretches = effective_exclusions(pieces, exclusions, pixel_size_um=pixel_size_um, cut_edge_um=cut_edge_um)
    whole: dict[LengthLine, float] = dict.fromkeys(SMOOTHED_AT_UM, 0.0)
    excluded_um = 0.0
    for index, piece in enumerate(pieces):
        position_um, along_um = line_lengths_um(piece, pixel_size_um)
        for name, along in along_um.items():
            whole[name] += float(along[-1])
        for stretch in stretches:
            if stretch.piece == index:
                ends = np.interp([stretch.start_um, stretch.end_um], position_um, along_um[line])
                excluded_um += float(ends[1] - ends[0])
    excluded_um = min(excluded_um, whole[line])
    return Lengths(
        surface_mm=whole["surface"] / 1000.0,
        junction_mm=whole["junction"] / 1000.0,
        chord_mm=whole["chord"] / 1000.0,
        excluded_mm=excluded_um / 1000.0,
        evaluable_mm=(whole[line] - excluded_um) / 1000.0,
        line=line,
    )


@lru_cache(maxsize=8)
def line_lengths_um(piece: Piece, pixel_size_um: float) -> tuple[FloatArray, dict[LengthLine, FloatArray]]:
    """How far along each line one has come at places along the junction.

    What is excluded does not change it: of the last pieces it is kept.

    Parameters
    ----------
    piece : Piece
        One stretch of epidermis.
    pixel_size_um : float
        Pixel edge in micrometers.

    Returns
    -------
    position_um : (N,) ndarray of float
        Positions along the junction as stored, from 0 to its end.
    along_um : dict of (N,) ndarray of float
        For each line the length passed up to there, never decreasing, from 0 to its whole length.
    """
    junction = resample(piece.junction_px * pixel_size_um, _JUNCTION_STEP_UM)
    position = np.linspace(0.0, length(piece.junction_px) * pixel_size_um, len(junction))
    outer, chord = _surface_lines(piece.surface_px.tobytes(), pixel_size_um)
    share = _corresponding_share(junction, outer)
    along: dict[LengthLine, FloatArray] = {
        "surface": _along(outer.points, share),
        "junction": arc_lengths(smooth_at(junction, SMOOTHED_AT_UM["junction"])),
        "chord": _along(chord, share),
    }
    return position, along


@lru_cache(maxsize=8)
def _surface_lines(surface_px: bytes, pixel_size_um: float) -> tuple[Projector, FloatArray]:
    """A smoothed surface, to be looked at from the junction, and its chord, in micrometers.

    Both stay as they are when a junction is drawn anew.
    """
    points = np.frombuffer(surface_px, dtype=np.float64).reshape(-1, 2)
    surface = resample(points * pixel_size_um, _SURFACE_STEP_UM)
    outer = smooth_at(surface, SMOOTHED_AT_UM["surface"])
    return Projector(outer), smooth_at(surface, SMOOTHED_AT_UM["chord"])


def _along(line: FloatArray, share: FloatArray) -> FloatArray:
    """Length of a line passed at shares of its points."""
    return np.interp(share, np.linspace(0.0, 1.0, len(line)), arc_lengths(line))


def stretch_outline_px(piece: Piece, stretch: Stretch, pixel_size_um: float) -> FloatArray:
    """Outline of the epidermis that a stretch of junction takes out, for pictures and exports.

    Returns
    -------
    (N, 2) ndarray of float
        (row, col) in pixels: along the junction, then back along the surface.
    """
    whole_um = length(piece.junction_px) * pixel_size_um
    ends_um = np.clip([stretch.start_um, stretch.end_um], 0.0, whole_um)
    surface, _ = _surface_lines(piece.surface_px.tobytes(), pixel_size_um)
    junction = resample(piece.junction_px * pixel_size_um, _JUNCTION_STEP_UM)
    share = _corresponding_share(junction, surface)
    at = np.interp(ends_um, np.linspace(0.0, whole_um, len(share)), share)
    below = _part(piece.junction_px * pixel_size_um, *ends_um)
    above = _part(surface.points, *(at * length(surface.points)))
    return np.concatenate([below, above[::-1]]) / pixel_size_um


def smooth_at(even_um: FloatArray, width_um: float) -> FloatArray:
    """Smooth a polyline with points at even steps "at `width_um`": a Gaussian of half that deviation.

    Parameters
    ----------
    even_um : (N, 2) ndarray of float
        Polyline in micrometers with evenly spaced points.
    width_um : float
        Width of the kernel between its points of inflection, in micrometers.

    Returns
    -------
    (N, 2) ndarray of float
        Point by point the smoothed polyline; both ends are kept.
    """
    return smooth_even(even_um, width_um / 2.0)


def _part(points: FloatArray, start: float, end: float) -> FloatArray:
    """The part of a polyline between two arc lengths."""
    along = arc_lengths(points)
    ends = points_at(points, [start, end])
    return np.concatenate([ends[:1], points[(along > start) & (along < end)], ends[1:]])


def _corresponding_share(junction: FloatArray, surface: Projector) -> FloatArray:
    """Share of the surface's points passed at every junction point, monotone from 0 to 1."""
    if length(surface.points) <= 0 or length(junction) <= 0:
        return np.linspace(0.0, 1.0, len(junction))
    places = resample(junction, _MATCH_STEP_UM)
    arc = arc_lengths(surface.points)
    share = np.interp(surface(places).position, arc, np.linspace(0.0, 1.0, len(arc)))
    monotone = np.asarray(isotonic_regression(share).x, dtype=np.float64)
    fine = np.interp(np.linspace(0.0, 1.0, len(junction)), np.linspace(0.0, 1.0, len(places)), monotone)
    fine[0], fine[-1] = 0.0, 1.0
    return fine


def _disjoint(stretches: Sequence[Stretch], piece: int, total_um: float) -> list[Stretch]:
    """Cut overlapping stretches of one piece into disjoint ones, the stronger reason on top."""
    clipped = [
        replace(s, start_um=max(0.0, s.start_um), end_um=min(total_um, s.end_um))
        for s in stretches
        if s.end_um > 0 and s.start_um < total_um
    ]
    ranked = sorted(clipped, key=lambda s: (_PRECEDENCE.get(s.reason, _OTHER_REASONS), s.reason))
    out: list[Stretch] = []
    edges = sorted({edge for s in ranked for edge in (s.start_um, s.end_um)})
    for start, end in itertools.pairwise(edges):
        reason = next((s.reason for s in ranked if s.start_um <= start and end <= s.end_um), None)
        if reason is None:
            continue
        if out and out[-1].end_um == start and out[-1].reason == reason:
            out[-1] = replace(out[-1], end_um=end)
        else:
            out.append(Stretch(piece, start, end, reason))
    return out
