"""The norm over age with one patient's point, as a drawing of lines (SVG) that any page can hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ienfd.draw.palette import BLUE, ORANGE
from ienfd.draw.svg import INK, css, drawing, line, step_of, text

__all__ = ["Course", "PatientPoint", "norm_plot"]

_WIDTH, _HEIGHT = 420.0, 230.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 14.0, 14.0, 40.0
_Scale = Callable[[float], float]
_BESIDE = "#8a8a8d"


@dataclass(frozen=True)
class Course:
    """The limit of one norm over age for one sex, as straight pieces.

    Parameters
    ----------
    name : str
        Which norm.
    pieces : sequence of ((float, float), (float, float))
        Age and limit at both ends of each.
    calls : bool
        Whether it is the norm of the call; the others are drawn faintly.
    """

    name: str
    pieces: Sequence[tuple[tuple[float, float], tuple[float, float]]]
    calls: bool


@dataclass(frozen=True)
class PatientPoint:
    """A density at an age, with its interval; all in years and per mm."""

    age_years: float
    density_per_mm: float
    low_per_mm: float
    high_per_mm: float


def norm_plot(courses: Sequence[Course], point: PatientPoint, font: str) -> str:
    """Draw the limit of each norm over age, what lies below the first one shaded, and the patient's point.

    Parameters
    ----------
    courses : sequence of Course
        Empty when the call is withheld: then only the density is shown.
    point : PatientPoint
        The patient.
    font : str
        Family of the letters.

    Returns
    -------
    str
        An SVG element.
    """
    ages = [age for course in courses for piece in course.pieces for age, _ in piece]
    low_age, high_age = min([*ages, point.age_years]) - 4, max([*ages, point.age_years]) + 4
    limits = [limit for course in courses for piece in course.pieces for _, limit in piece]
    top = max([*limits, point.high_per_mm, 4.0]) * 1.12

    def x(age: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (age - low_age) / (high_age - low_age)

    def y(value: float) -> float:
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * value / top

    parts: list[str] = []
    for course in courses:
        for (age_a, limit_a), (age_b, limit_b) in course.pieces:
            if course.calls:
                corners = f"{x(age_a):.1f},{y(0):.1f} {x(age_a):.1f},{y(limit_a):.1f} "
                corners += f"{x(age_b):.1f},{y(limit_b):.1f} {x(age_b):.1f},{y(0):.1f}"
                parts.append(f'<polygon points="{corners}" fill="{css(ORANGE)}" fill-opacity="0.18"/>')
            color, width = (css(ORANGE), 2.2) if course.calls else (_BESIDE, 1.2)
            dash = "" if course.calls else 'stroke-dasharray="4 3"'
            parts.append(line(x(age_a), y(limit_a), x(age_b), y(limit_b), color, width, dash))
        if course.pieces:
            age, limit = course.pieces[-1][1]
            color = INK if course.calls else _BESIDE
            parts.append(text(x(age), y(limit) - 5, course.name, "end", color, font))
    parts += _axes(x, y, low_age, high_age, top, font)
    at = x(point.age_years)
    low, high = y(point.low_per_mm), y(point.high_per_mm)
    parts.append(line(at, low, at, high, css(BLUE), 2))
    parts += [line(at - 5, end, at + 5, end, css(BLUE), 2) for end in (low, high)]
    middle = y(point.density_per_mm)
    tips = ((at, middle - 6), (at + 6, middle), (at, middle + 6), (at - 6, middle))
    diamond = " ".join(f"{tip_x:.1f},{tip_y:.1f}" for tip_x, tip_y in tips)
    parts.append(f'<polygon points="{diamond}" fill="{css(BLUE)}" stroke="white" stroke-width="1"/>')
    return drawing(_WIDTH, _HEIGHT, parts)


def _axes(x: _Scale, y: _Scale, low_age: float, high_age: float, top: float, font: str) -> list[str]:
    parts = [
        line(x(low_age), y(0), x(high_age), y(0), INK, 1),
        line(x(low_age), y(0), x(low_age), y(top), INK, 1),
    ]
    for age in range(10 * int(low_age // 10 + 1), int(high_age) + 1, 10):
        parts.append(line(x(age), y(0), x(age), y(0) + 4, INK, 1))
        parts.append(text(x(age), y(0) + 16, str(age), "middle", INK, font))
    for value in range(0, int(top) + 1, step_of(top)):
        parts.append(line(x(low_age) - 4, y(value), x(low_age), y(value), INK, 1))
        parts.append(text(x(low_age) - 7, y(value) + 4, str(value), "end", INK, font))
    parts.append(text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 6, "age in years", "middle", INK, font))
    parts.append(text(_LEFT + 6, _TOP + 4, "crossings per mm", "start", INK, font))
    return parts
