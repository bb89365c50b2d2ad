"""What was found in a section, and what became of it.

`Findings` is what image analysis sees and is stored once per `analysis_key`; `SectionResult` is
what the counting rules make of it and can be computed anew without the image.

Geometry is in pixels of the full-resolution image, (row, col), 0-based, with the center of a pixel
at the integer.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from ienfd.geometry import left_normals
from ienfd.protocol import LengthLine, Stain

__all__ = [
    "Branch",
    "Cell",
    "Crossing",
    "FiberGraph",
    "Findings",
    "FloatArray",
    "Lengths",
    "Piece",
    "SectionResult",
    "Status",
    "Stretch",
]

FloatArray = NDArray[np.float64]


class Status(StrEnum):
    """How a row ended."""

    OK = "ok"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, eq=False)
class Piece:
    """One uninterrupted stretch of epidermis.

    Parameters
    ----------
    surface_px : (N, 2) ndarray of float
        Boundary of viable epidermis and corneum, in the same sense as the junction.
    junction_px : (M, 2) ndarray of float
        Dermal-epidermal junction, traced with the epidermis on the left.
    junction_confidence : (M,) ndarray of float
        Confidence from 0 to 1 at every point of the junction.
    cut_ends : (bool, bool)
        Whether the first and the last end are cut ends of the tissue (not the image border).
    """

    surface_px: FloatArray
    junction_px: FloatArray
    junction_confidence: FloatArray
    cut_ends: tuple[bool, bool] = (False, False)

    @property
    def facing(self) -> FloatArray:
        """(2,) direction from dermis to epidermis, across the whole of it."""
        return np.asarray(left_normals(self.junction_px[[0, -1]])[0], float)


@dataclass(frozen=True)
class Stretch:
    """A stretch of the junction of one piece that is not evaluated.

    Parameters
    ----------
    piece : int
        Index of the piece.
    start_um, end_um : float
        Range of positions along the junction polyline as stored, in micrometers.
    reason : str
        Code from `ienfd.reasons`.
    """

    piece: int
    start_um: float
    end_um: float
    reason: str


@dataclass(frozen=True, eq=False)
class Branch:
    """A stretch of nerve fiber between two nodes of the fiber graph.

    Parameters
    ----------
    start, end : int
        Indices of its nodes.
    path_px : (N, 2) ndarray of float
        Sub-pixel polyline from the start node to the end node.
    contrast : (N,) ndarray of float
        Ridge contrast at every point, in units of the local noise.
    bridged : (N,) ndarray of bool
        True where a gap was bridged rather than a fiber seen.
    z_um : (N,) ndarray of float or None
        Depth of every point, where a stack tells it.
    width_um : float
        Mean apparent caliber in micrometers.
    """

    start: int
    end: int
    path_px: FloatArray
    contrast: FloatArray
    bridged: NDArray[np.bool_]
    z_um: FloatArray | None = None
    width_um: float = 1.0


@dataclass(frozen=True)
class Cell:
    """A dendritic cell (Langerhans cell or melanocyte): a body with short processes.

    Parameters
    ----------
    row_px, col_px : float
        Center of the body.
    radius_um : float
        Radius of the body in micrometers.
    contrast : float
        Contrast of the body in units of the local noise.
    """

    row_px: float
    col_px: float
    radius_um: float
    contrast: float


@dataclass(frozen=True, eq=False)
class FiberGraph:
    """All traced fibers: nodes, the branches between them, and the cells that are not fibers.

    Parameters
    ----------
    nodes_px : (K, 2) ndarray of float
        Ends and forks.
    branches : tuple of Branch
        A fiber is a connected set of them.
    cells : tuple of Cell
        Dendritic cells.
    """

    nodes_px: FloatArray
    branches: tuple[Branch, ...] = ()
    cells: tuple[Cell, ...] = ()


@dataclass(frozen=True, eq=False)
class Findings:
    """Everything image analysis saw in one section.

    Parameters
    ----------
    section_id, analysis_key : str
        Which section, and under which effective inputs.
    stain : {"bright-field", "fluorescence"} or None
        None when the section was refused before it could be told.
    pixel_size_um : float or None
        Calibration used.
    shape : (int, int)
        Height and width of the image in pixels.
    pieces : tuple of Piece
        Stretches of epidermis.
    exclusions : tuple of Stretch
        Stretches that image analysis could not trust.
    graph : FiberGraph
        Fibers and cells.
    refusal : str or None
        Reason code when no density can be given; what was found up to there is kept.
    detail : str
        The particulars of the refusal.
    flags : tuple of str
        Quality flags, codes from `ienfd.reasons`.
    measures : tuple of (str, float)
        Named figures: those behind the flags (focus, saturation ...), `junction_confidence` (its mean
        along all junctions), `dendritic_cells` and `epidermis_mm2`.
    fingerprint : str
        What its tissue is recognized by in another image (`ienfd.quality.same_tissue`); empty where
        there is too little of it, and in what an earlier version has found.
    """

    section_id: str
    analysis_key: str
    stain: Stain | None
    pixel_size_um: float | None
    shape: tuple[int, int]
    pieces: tuple[Piece, ...] = ()
    exclusions: tuple[Stretch, ...] = ()
    graph: FiberGraph = field(default_factory=lambda: FiberGraph(np.empty((0, 2))))
    refusal: str | None = None
    detail: str = ""
    flags: tuple[str, ...] = ()
    measures: tuple[tuple[str, float], ...] = ()
    fingerprint: str = ""

    def measure(self, name: str) -> float | None:
        """A named figure; None where it was not taken."""
        return dict(self.measures).get(name)

    def with_measure(self, name: str, value: float) -> Findings:
        """The same with a named figure, which replaces one of that name."""
        others = tuple(pair for pair in self.measures if pair[0] != name)
        return replace(self, measures=(*others, (name, value)))


@dataclass(frozen=True)
class Crossing:
    """A candidate crossing and what became of it.

    Parameters
    ----------
    crossing_id, fiber_id : str
        UUIDs, the same in every run.
    piece : int
        Index of the stretch of epidermis.
    row_px, col_px : float
        Where it meets the junction (for a fragment: its point nearest to it).
    z_um : float or None
        Depth, where known.
    junction_position_um : float
        Position along the junction of its piece.
    counted : bool
        Whether it is part of the density.
    reason : str
        Code from `ienfd.reasons`: why it was counted, or why not.
    confidence : float
        From 0 to 1: how sure it is that a fiber crosses here.
    reach_epidermis_um, reach_dermis_um : float
        How far it is seen above and below the junction.
    contrast : float
        Mean contrast near the junction, in units of the local noise.
    origin : {"automatic", "manual"}
        Who set it.
    """

    crossing_id: str
    fiber_id: str
    piece: int
    row_px: float
    col_px: float
    z_um: float | None
    junction_position_um: float
    counted: bool
    reason: str
    confidence: float
    reach_epidermis_um: float = 0.0
    reach_dermis_um: float = 0.0
    contrast: float = 0.0
    origin: str = "automatic"


@dataclass(frozen=True)
class Lengths:
    """The three lengths of the epidermis, and what of the protocol's line is evaluated.

    All in millimeters and over all pieces: `surface_mm` (smoothed at 15 um), `junction_mm`
    (smoothed at 5 um), `chord_mm` (surface smoothed at 200 um). `excluded_mm` and `evaluable_mm`
    are on `line`.
    """

    surface_mm: float
    junction_mm: float
    chord_mm: float
    excluded_mm: float
    evaluable_mm: float
    line: LengthLine


@dataclass(frozen=True, eq=False)
class SectionResult:
    """The result for one section.

    Parameters
    ----------
    findings : Findings
        What image analysis saw.
    status : Status
        `ok` or `refused` (a file that fails has no result).
    reason : str or None
        Reason code when refused.
    crossings : tuple of Crossing
        Every candidate, counted or not.
    lengths : Lengths or None
        None when no epidermis was found.
    density_per_mm, density_low_per_mm, density_high_per_mm : float or None
        Crossings per evaluable millimeter and its interval; None when refused.
    flags : tuple of str
        Quality flags, codes from `ienfd.reasons`.
    """

    findings: Findings
    status: Status
    reason: str | None
    crossings: tuple[Crossing, ...]
    lengths: Lengths | None
    density_per_mm: float | None = None
    density_low_per_mm: float | None = None
    density_high_per_mm: float | None = None
    flags: tuple[str, ...] = ()

    @property
    def count(self) -> int | None:
        """Number of counted crossings, None when the section is refused."""
        if self.status is not Status.OK:
            return None
        return sum(crossing.counted for crossing in self.crossings)

    def tally(self, reason: str) -> int:
        """Number of candidates that ended with `reason`."""
        return sum(crossing.reason == reason for crossing in self.crossings)
