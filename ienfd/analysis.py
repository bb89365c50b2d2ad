"""The whole chain for one section, from pixels to a density: the table of contents of the program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from ienfd.analysis_key import analysis_key
from ienfd.density import count
from ienfd.nerve.across import across_fibers
from ienfd.nerve.band import epidermis_mask, nerve_band, on_grid
from ienfd.nerve.cells import find_cells
from ienfd.nerve.fibers import find_fibers
from ienfd.nerve.field import line_field
from ienfd.nerve.learned import WeighLines, weighed
from ienfd.protocol import Protocol, Stain
from ienfd.quality.checks import check_course, check_image, check_unread
from ienfd.quality.course import courses
from ienfd.quality.image import image_figures
from ienfd.quality.nerves import RIM_UM, check_plexus, clear_fibers, nerve_color_is_seen, nerves_are_seen
from ienfd.quality.same_tissue import fingerprint
from ienfd.quality.section import (
    Check,
    check_fiber_width,
    check_junction,
    check_saturation,
    refusal_before_analysis,
    uncertain_stretches,
)
from ienfd.quality.unread import unread_fraction
from ienfd.result import Findings, SectionResult
from ienfd.section import ChannelRole, Section
from ienfd.skin.colors import told_by_junction
from ienfd.skin.epidermis import find_skin
from ienfd.skin.learned import DrawJunction, learned_junction
from ienfd.skin.tissue import Tissue, find_tissue
from ienfd.stain.chromogen import DEEPER_UM, NEAR_UM, Chromogen, estimate_chromogen, tissue_patches
from ienfd.stain.nerve import NerveSource, work_grid
from ienfd.stain.overview import LowResolution, Overview, full_scale, make_overview, read_overview
from ienfd.stain.recognize import recognize_stain
from ienfd.stain.roles import assign_roles

__all__ = ["Progress", "analyze", "count", "find"]

_SURE_STAIN = 0.25
_COLORS = 2  # fewer do not tell a stain from a counterstain

Progress = Callable[[str, float], None]
"""Told what is done next, and the share of the time that is over."""


def analyze(
    section: Section, protocol: Protocol | None = None, *, progress: Progress | None = None
) -> SectionResult:
    """Find everything in a section and count.

    Parameters
    ----------
    section : Section
        As `ienfd.read` gives it.
    protocol : Protocol, optional
        Every choice; the built-in `efns2010` when not given.
    progress : callable, optional
        Told what is done next, and the share of the time that is over, from 0 to 1. What it raises ends
        the analysis.

    Returns
    -------
    SectionResult
        With status `refused` and a reason where no density can honestly be given.
    """
    protocol = protocol or Protocol()
    key = analysis_key(
        pixel_size_um=section.calibration.pixel_size_um, stain=None, axes=None, protocol=protocol
    )
    found = find(section, protocol, progress=progress)
    return count(replace(found, analysis_key=key), protocol)


def find(
    section: Section,
    protocol: Protocol,
    *,
    progress: Progress | None = None,
    draw: DrawJunction = learned_junction,
    weigh: WeighLines = weighed,
) -> Findings:
    """Look for epidermis, junction, fibers and cells; nothing is counted yet.

    Parameters
    ----------
    section, protocol, progress
        As in `analyze`.
    draw, weigh : callable
        Stand in for the networks, where the protocol leaves the junction or the fibers to them.
    """
    empty = Findings(
        section_id=section.identity.section_id,
        analysis_key="",
        stain=None,
        pixel_size_um=section.calibration.pixel_size_um,
        shape=section.shape,
    )
    forbidden = refusal_before_analysis(section, protocol)
    if forbidden is not None:
        return replace(empty, refusal=forbidden[0], detail=forbidden[1])
    return _Search(section, protocol, empty, progress or _unheard, draw, weigh).run()


def _unheard(_next: str, _share: float) -> None:
    """Nobody asks how far it has come."""


@dataclass
class _Search:
    """One section on its way: every step adds to the findings, or refuses the section."""

    section: Section
    protocol: Protocol
    findings: Findings
    progress: Progress
    draw: DrawJunction
    weigh: WeighLines

    def run(self) -> Findings:
        self.progress("looking for tissue", 0.0)
        pixels = self.section.pixels  # whole numbers are always finite
        if pixels.dtype.kind == "f" and not np.isfinite(pixels).any():
            return self._refused("not_finite")
        low = read_overview(self.section)
        if float(np.ptp(low.light)) <= 1e-6 * max(float(np.abs(low.light).max()), 1e-30):
            return self._refused("blank")
        stain = self._stain(low)
        self.findings = replace(self.findings, stain=stain)
        if stain == "fluorescence" and not self._channels():
            return self._refused("channels_unknown", self._channel_names())
        overview = make_overview(self.section, low, stain)
        tissue = find_tissue(overview)
        if not tissue.mask.any():
            return self._refused("no_tissue")
        self._check(check_saturation(overview.saturated, tissue.mask, self.protocol))
        if self.findings.refusal is not None:
            return self.findings
        self.progress("looking at the stain", 0.1)
        if stain == "bright-field" and len(overview.signals) < _COLORS:
            return self._refused("grey_bright_field")
        source = NerveSource(self.section, stain, overview, work_grid(self.section))
        chromogen = self._chromogen(source, tissue)
        if self.findings.refusal is not None:  # no junction is drawn in a section that is not one of nerves
            return self.findings
        self.progress("looking for the epidermis", 0.25)
        by_network = self.protocol.image.junction_by == "network"
        draw = self.draw if by_network else None
        skin = find_skin(overview, tissue, chromogen, draw)
        if self.section.rgb and stain == "fluorescence":
            told = told_by_junction(overview, skin.pieces)
            if told is not overview:
                overview, source = told, replace(source, overview=told)
                skin = find_skin(overview, tissue, chromogen, draw)
        self.findings = replace(self.findings, pieces=skin.pieces)
        if not skin.pieces:
            return self._refused("no_epidermis")
        self._follow_surface(overview, skin.tissue)
        self.progress("tracing fibers", 0.6)
        self._trace(source, overview, skin.tissue, chromogen)
        self._trust_junction()
        return self.findings

    def _refused(self, reason: str, detail: str = "") -> Findings:
        return replace(self.findings, refusal=reason, detail=detail)

    def _flag(self, *codes: str) -> None:
        self.findings = replace(self.findings, flags=(*self.findings.flags, *codes))

    def _check(self, outcome: Check) -> None:
        if outcome.measure is not None:
            self.findings = replace(self.findings, measures=(*self.findings.measures, outcome.measure))
        if outcome.flag is not None and outcome.flag not in self.findings.flags:
            self._flag(outcome.flag)
        if outcome.refusal is not None and self.findings.refusal is None:
            self.findings = self._refused(outcome.refusal, outcome.detail)

    def _stain(self, low: LowResolution) -> Stain:
        if self.protocol.image.stain != "auto":
            return self.protocol.image.stain
        stain, certainty = recognize_stain(low.light, low.margin, full_scale(self.section))
        if certainty < _SURE_STAIN:
            self._flag("stain_guessed")
        return stain

    def _channels(self) -> bool:
        """Give the channels their roles; False when it is not known which one shows the nerves."""
        self.section, certain = assign_roles(self.section, self.protocol.image)
        if not certain:
            self._flag("channel_by_position")
        return self.section.rgb or any(c.role is ChannelRole.NERVE for c in self.section.channels)

    def _channel_names(self) -> str:
        return "channels: " + ", ".join(channel.name or "unnamed" for channel in self.section.channels)

    def _chromogen(self, source: NerveSource, tissue: Tissue) -> Chromogen | None:
        if source.stain == "fluorescence":
            return None

        def lines_at(depth_um: tuple[float, float]) -> Chromogen:
            patches = tissue_patches(source, tissue.clearance, depth_um)
            return estimate_chromogen(patches, source.grid.pixel_size_um)

        is_seen = partial(nerve_color_is_seen, counterstained=self._counterstained)
        chromogen = lines_at(NEAR_UM)
        if is_seen(chromogen).refusal is not None:  # under thick corneum the nerves lie deeper
            deeper = lines_at(DEEPER_UM)
            if is_seen(deeper).refusal is None and self._near_counterstain(deeper) is None:
                chromogen = deeper
        self._check(is_seen(chromogen))
        return chromogen

    def _near_counterstain(self, chromogen: Chromogen | None) -> str | None:
        """Name of the counterstain that the lines are like in color; None where there can be none."""
        if chromogen is None or not self._counterstained:
            return None
        return chromogen.near_counterstain

    @property
    def _counterstained(self) -> bool:
        """Whether the section may hold a counterstain."""
        return self.protocol.image.counterstain != "none"

    def _trust_junction(self) -> None:
        """Exclude what is not certain; refuse when too little is left."""
        pieces, size = self.findings.pieces, self.section.pixel_size_um
        stretches = uncertain_stretches(pieces, size, self.protocol)
        self.findings = replace(self.findings, exclusions=stretches)
        if stretches:
            self._flag("junction_partly_uncertain")
        self._check(check_junction(pieces, stretches, size, self.protocol.quality))

    def _follow_surface(self, overview: Overview, tissue: Tissue) -> None:
        """What the tissue along the surface tells of the cut, and by what it is known again."""
        along = courses(self.findings.pieces, overview)
        for outcome in check_course(along, self.protocol.quality):
            self._check(outcome)
        unread = unread_fraction(self.findings.pieces, tissue, overview.grid)
        self._check(check_unread(unread, self.protocol.quality))
        self.findings = replace(self.findings, fingerprint=fingerprint(along))

    def _trace(
        self, source: NerveSource, overview: Overview, tissue: Tissue, chromogen: Chromogen | None
    ) -> None:
        """Trace the nerves of the epidermis and the upper dermis."""
        pieces, choices = self.findings.pieces, self.protocol.image
        rows, cols = tissue.mask.shape
        epidermis = epidermis_mask(pieces, overview.grid, (rows, cols))
        band = nerve_band(pieces, tissue.mask, epidermis, overview.grid)
        field = line_field(
            source,
            chromogen,
            on_grid(band, overview.grid, source.grid, source.shape),
            choices.fiber_scales_um,
        )
        cells = find_cells(field, on_grid(epidermis, overview.grid, field.grid, field.signal.shape))
        deep = band & (tissue.clearance * overview.grid.pixel_size_um > RIM_UM)
        seen = image_figures(field, on_grid(deep, overview.grid, field.grid, field.signal.shape))
        self.progress("joining fibers", 0.85)
        graph = find_fibers(
            self.weigh(field) if choices.fibers_by == "network" else field,
            choices,
            cells,
            self.section.calibration.z_step_um,
            None if chromogen is None else chromogen.likeness,
        )
        if source.stain == "fluorescence" and len(overview.signals) == 1:
            pieces = tuple(across_fibers(piece, graph, overview) for piece in pieces)
        area_mm2 = float(epidermis.sum()) * (overview.grid.pixel_size_um / 1000) ** 2
        self.findings = (
            replace(self.findings, pieces=pieces, graph=graph)
            .with_measure("dendritic_cells", len(graph.cells))
            .with_measure("epidermis_mm2", area_mm2)
        )
        bounds = self.protocol.quality
        self._check(check_fiber_width(graph, bounds))
        from_rim_um = partial(tissue.from_rim_um, grid=overview.grid)
        fibers = clear_fibers(graph, pieces, self.section.pixel_size_um, from_rim_um)
        agreement = None if chromogen is None else chromogen.agreement
        for outcome in check_image(
            seen, source.stain, bounds, color_agreement=agreement, long_fibers=fibers.are_no_nuclei
        ):
            self._check(outcome)
        self._check(nerves_are_seen(fibers, bounds, self._near_counterstain(chromogen)))
        self._check(check_plexus(graph, pieces, self.section.pixel_size_um))
