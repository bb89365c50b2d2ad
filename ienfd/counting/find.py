"""Looking for candidates: all of a section, or those that another course of its junction can change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ienfd.counting.bystanders import Insider, fragments
from ienfd.counting.candidates import Candidate, candidates_at, fragment, order
from ienfd.counting.fibers import Fibers
from ienfd.counting.junctions import Junction, junctions_of
from ienfd.counting.network import Patch, build_network
from ienfd.counting.redrawn import Redrawn, components_around, patch_around, redrawn
from ienfd.geometry import FloatArray
from ienfd.protocol import CountingRules
from ienfd.result import Findings

__all__ = ["Candidates", "find_all"]


@dataclass(frozen=True, eq=False)
class Candidates:
    """All candidates of a section, before it is decided which of them count.

    It depends on fibers, junctions and rules, but not on what is excluded: who excludes a stretch need
    not look for candidates again.

    Parameters
    ----------
    fibers : Fibers
        In which they were found.
    junctions : mapping of int to Junction
        Of every piece that has one.
    rules : CountingRules
        By which they were found.
    candidates : sequence of Candidate
        In order of piece and position.
    insiders : sequence of Insider
        Components that lie in the epidermis and meet no junction.
    cut_branches, cuts_um : (C,) ndarray of int, (C, 2) ndarray of float
        Where fibers cross junctions: on which branches, and (row, col) in micrometers.
    """

    fibers: Fibers
    junctions: Mapping[int, Junction]
    rules: CountingRules
    candidates: Sequence[Candidate] = ()
    insiders: Sequence[Insider] = ()
    cut_branches: NDArray[np.intp] = field(default_factory=lambda: np.empty(0, dtype=np.intp))
    cuts_um: FloatArray = field(default_factory=lambda: np.empty((0, 2)))

    @property
    def cells(self) -> frozenset[int]:
        """Components that are dendritic cells."""
        return self.fibers.cells | self.fibers.cells_among(self.cut_branches, self.cuts_um)


def find_all(findings: Findings, rules: CountingRules, known: Candidates | None = None) -> Candidates | None:
    """Look for candidates; None where there is no junction, or no pixel size.

    Parameters
    ----------
    findings : Findings
        A section.
    rules : CountingRules
        The laboratory's choices.
    known : Candidates, optional
        Those of the same fibers with other courses of the junctions: only what can have changed since is
        looked for. The result is the same, to the last digit.
    """
    size = findings.pixel_size_um
    junctions = {} if size is None else junctions_of(findings.pieces, size)
    if size is None or not junctions:
        return None
    if known is None or known.fibers.graph is not findings.graph or known.fibers.pixel_size_um != size:
        return _all(Fibers(findings.graph, size), junctions, rules)
    renewed = _renewed(known, junctions) if known.rules == rules else None
    return renewed or _all(known.fibers, junctions, rules)


def _all(fibers: Fibers, junctions: Mapping[int, Junction], rules: CountingRules) -> Candidates:
    components = frozenset(fibers.component.tolist())
    return _with_found(Candidates(fibers, junctions, rules), Patch.whole(fibers), components)


def _renewed(known: Candidates, junctions: Mapping[int, Junction]) -> Candidates | None:
    """Those of other courses of the junctions; None where it takes all to tell."""
    if known.junctions.keys() != junctions.keys() or not all(
        np.array_equal(known.junctions[index].piece.surface_px, junction.piece.surface_px)
        for index, junction in junctions.items()
    ):
        return None
    every = {index: redrawn(known.junctions[index], junction) for index, junction in junctions.items()}
    changes = {index: change for index, change in every.items() if change is not None}
    if not changes:
        return known
    # Which of two at the same place comes first depends on what was found before: they stay together.
    tied = [(*one.branches, *two.branches) for one, two in _tied(known.candidates)]
    together = {*tied, *(one.branches for one in known.candidates)} - {()}
    patch = patch_around(changes.values(), known.fibers, together, known.rules)
    components = components_around(changes.values(), known.fibers, known.insiders)
    try:
        kept = _kept(known, junctions, changes, patch, components)
    except LookupError:
        return None
    found = _with_found(kept, patch, components)
    old = {id(one) for one in kept.candidates}
    if any((id(one) in old) != (id(two) in old) for one, two in _tied(found.candidates)):
        return None
    return found


def _tied(candidates: Sequence[Candidate]) -> list[tuple[Candidate, Candidate]]:
    """Pairs of neighbors that nothing but the order in which they were found tells which comes first."""
    return [
        (one, two)
        for one, two in pairwise(candidates)
        if abs(one.spot.position_um - two.spot.position_um) < 1e-5 and order(one) == order(two)
    ]


def _kept(
    known: Candidates,
    junctions: Mapping[int, Junction],
    changes: Mapping[int, Redrawn],
    patch: Patch,
    components: frozenset[int],
) -> Candidates:
    """What is not looked for again, at its places on the junctions as they are now."""
    stays = ~patch.asked[known.cut_branches]
    candidates = []
    for one in known.candidates:
        again = patch.asked[list(one.branches)].any() if one.branches else one.component in components
        if not again:
            change = changes.get(one.spot.piece)
            candidates.append(one if change is None else _following(one, change))
    return Candidates(
        known.fibers,
        junctions,
        known.rules,
        candidates,
        [one for one in known.insiders if one.component not in components],
        known.cut_branches[stays],
        known.cuts_um[stays],
    )


def _following(one: Candidate, change: Redrawn) -> Candidate:
    """A candidate where it is on the junction as it is now."""
    spot, trusted_at = change.follow(one.spot), change.follow(one.trusted_at)
    if spot is one.spot and trusted_at is one.trusted_at:
        return one
    evidence = replace(one.evidence, junction_confidence=change.junction.confidence(trusted_at))
    return replace(one, spot=spot, trusted_at=trusted_at, evidence=evidence)


def _with_found(kept: Candidates, patch: Patch, components: Iterable[int]) -> Candidates:
    """What is kept, and what is found in a patch and among some components."""
    fibers, junctions, rules = kept.fibers, kept.junctions, kept.rules
    network = build_network(fibers, junctions, patch)
    cuts = network.intersections
    cut_branches = np.array([*kept.cut_branches, *(place.branch for place in cuts)], dtype=np.intp)
    cuts_um = np.concatenate([kept.cuts_um, *(place.point_um[None] for place in cuts)])
    free = set(components) - set(fibers.component[cut_branches].tolist())
    first = 1 + max((one.group for one in kept.candidates), default=-1)
    met, below = candidates_at(network, junctions, rules, first)
    first = 1 + max((one.group for one in [*met, *below]), default=first)
    insiders = fragments(fibers, sorted(free, key=lambda c: fibers.of_component(c)[0]), junctions, rules)
    inside = [
        fragment(one.found, one.component, junctions, number)
        for number, one in enumerate(insiders, first)
        if one.found is not None
    ]
    return replace(
        kept,
        candidates=sorted([*kept.candidates, *met, *inside, *below], key=order),
        insiders=[*kept.insiders, *insiders],
        cut_branches=cut_branches,
        cuts_um=cuts_um,
    )
