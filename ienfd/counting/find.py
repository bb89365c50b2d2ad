"""Looking for candidates: all of a section, or those that another course of its junction can change."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from ienfd.counting.bystanders import Insider, fragments
from ienfd.counting.candidates import Candidate, candidates_at, fragment, order
from ienfd.counting.fibers import Fibers
from ienfd.counting.junctions import Junction, Spot, junctions_of
from ienfd.counting.network import Network, build_network
from ienfd.counting.redrawn import asked_again, components_around, cut_otherwise, redrawn
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
    network : Network
        The fibers, cut at the junctions.
    junctions : mapping of int to Junction
        Of every piece that has one.
    rules : CountingRules
        By which they were found.
    candidates : sequence of Candidate
        In order of piece and position.
    insiders : sequence of Insider
        Components that lie in the epidermis and meet no junction.
    """

    network: Network
    junctions: Mapping[int, Junction]
    rules: CountingRules
    candidates: Sequence[Candidate] = ()
    insiders: Sequence[Insider] = ()

    @property
    def cells(self) -> frozenset[int]:
        """Components that are dendritic cells."""
        fibers, network = self.network.fibers, self.network
        return fibers.cells | fibers.cells_among(network.cut_branches, network.cuts_um)


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
    fibers = None if known is None else known.network.fibers
    if known is None or fibers is None or fibers.graph is not findings.graph or fibers.pixel_size_um != size:
        return _all(Fibers(findings.graph, size), junctions, rules)
    renewed = _renewed(known, junctions) if known.rules == rules else None
    return renewed or _all(fibers, junctions, rules)


def _all(fibers: Fibers, junctions: Mapping[int, Junction], rules: CountingRules) -> Candidates:
    network = build_network(fibers, junctions)
    return _with_found(Candidates(network, junctions, rules), set(fibers.component.tolist()))


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

    def follow(spot: Spot) -> Spot:
        return changes[spot.piece].follow(spot) if spot.piece in changes else spot

    fibers = known.network.fibers
    # Which of two at the same place comes first depends on what was found before: they stay together.
    tied = [(*one.branches, *two.branches) for one, two in _tied(known.candidates)]
    together = {*tied, *(one.branches for one in known.candidates)} - {()}
    asked = asked_again(changes.values(), fibers, together, known.rules)
    anew = cut_otherwise(changes.values(), fibers)
    components = components_around(changes.values(), fibers, known.insiders)
    try:
        network = known.network.following(follow, anew).cut_by(junctions, anew).asking(asked)
        kept = [
            _following(one, follow, junctions)
            for one in known.candidates
            if not (asked[list(one.branches)].any() if one.branches else one.component in components)
        ]
    except LookupError:  # a place that does not stay where it is
        return None
    insiders = [one for one in known.insiders if one.component not in components]
    found = _with_found(Candidates(network, junctions, known.rules, kept, insiders), components)
    old = {id(one) for one in kept}
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


def _following(
    one: Candidate, follow: Callable[[Spot], Spot], junctions: Mapping[int, Junction]
) -> Candidate:
    """A candidate where it is on a junction that was redrawn elsewhere."""
    spot, trusted_at = follow(one.spot), follow(one.trusted_at)
    if spot is one.spot and trusted_at is one.trusted_at:
        return one
    trust, evidence = junctions[spot.piece].confidence(trusted_at), one.evidence
    if trust != evidence.junction_confidence:
        evidence = replace(evidence, junction_confidence=trust)
    return replace(one, spot=spot, trusted_at=trusted_at, evidence=evidence)


def _with_found(kept: Candidates, components: Collection[int]) -> Candidates:
    """What is kept, and what is found where the network is asked and among some components."""
    network, junctions, rules = kept.network, kept.junctions, kept.rules
    fibers = network.fibers
    first = 1 + max((one.group for one in kept.candidates), default=-1)
    met, below = candidates_at(network, junctions, rules, first)
    first = 1 + max((one.group for one in [*met, *below]), default=first)
    crossing = set(fibers.component[network.cut_branches].tolist())
    free = sorted(set(components) - crossing, key=lambda component: fibers.of_component(component)[0])
    insiders = fragments(fibers, free, junctions, rules)
    inside = [
        fragment(one.found, one.component, junctions, rules, number)
        for number, one in enumerate(insiders, first)
        if one.found is not None
    ]
    return replace(
        kept,
        candidates=sorted([*kept.candidates, *met, *inside, *below], key=order),
        insiders=[*kept.insiders, *insiders],
    )
