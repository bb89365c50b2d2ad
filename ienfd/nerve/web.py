"""The fiber graph while it is being built: strands between nodes that can be joined, split and dropped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ienfd.geometry import length
from ienfd.result import FloatArray

__all__ = ["Strand", "Web"]


@dataclass(frozen=True, eq=False)
class Strand:
    """A line between two nodes.

    Parameters
    ----------
    start, end : int
        Its nodes.
    points : (N, 2) ndarray of float
        Working grid, from the one node to the other.
    bridged : (N,) ndarray of bool
        True where a gap was bridged.
    """

    start: int
    end: int
    points: FloatArray
    bridged: NDArray[np.bool_]

    def from_node(self, node: int) -> FloatArray:
        """The points, beginning at one of its nodes."""
        return self.points if self.start == node else self.points[::-1]

    def other(self, node: int) -> int:
        """The node at the other end."""
        return self.end if self.start == node else self.start

    def reversed(self) -> Strand:
        """The same strand from its other end."""
        return Strand(self.end, self.start, self.points[::-1], self.bridged[::-1])

    @property
    def length(self) -> float:
        """Length in pixels of the working grid."""
        return length(self.points)

    @property
    def seen_length(self) -> float:
        """Length without gaps."""
        steps = np.hypot(*np.diff(self.points, axis=0).T)
        return float(steps[~(self.bridged[1:] | self.bridged[:-1])].sum())


class Web:
    """Nodes and the strands between them.

    Parameters
    ----------
    nodes : (K, 2) ndarray of float
        Working grid.
    strands : iterable of Strand
    """

    def __init__(self, nodes: FloatArray, strands: Iterable[Strand]) -> None:
        self.nodes: dict[int, FloatArray] = dict(enumerate(np.asarray(nodes, float)))
        self.strands: dict[int, Strand] = {}
        self._at: dict[int, list[int]] = {}
        self._next_node, self._next_strand = len(self.nodes), 0
        for strand in strands:
            self.add(strand)

    def add(self, strand: Strand) -> int:
        """Put a strand in; returns its key."""
        key = self._next_strand
        self._next_strand += 1
        self.strands[key] = strand
        for node in (strand.start, strand.end):
            self._at.setdefault(node, []).append(key)
        return key

    def bridge(self, node: int, other: int) -> int:
        """Put a straight gap between two nodes in; returns its key."""
        line = np.array([self.nodes[node], self.nodes[other]])
        return self.add(Strand(node, other, line, np.array([True, True])))

    def remove(self, key: int) -> Strand:
        """Take a strand out; nodes that nothing meets any more go with it."""
        strand = self.strands.pop(key)
        for node in (strand.start, strand.end):
            if node in self._at:
                self._at[node].remove(key)
                if not self._at[node]:
                    del self._at[node]
                    self.nodes.pop(node, None)
        return strand

    def degree(self, node: int) -> int:
        """How many strand ends meet at a node."""
        return len(self._at.get(node, ()))

    def at(self, node: int) -> list[int]:
        """Keys of the strands that meet at a node; one that begins and ends there stands twice."""
        return list(self._at.get(node, ()))

    def tips(self) -> list[tuple[int, int]]:
        """(node, strand) of every free end."""
        return [(node, keys[0]) for node, keys in sorted(self._at.items()) if len(keys) == 1]

    def split(self, key: int, index: int) -> int:
        """Cut a strand at one of its inner points; returns the new node."""
        strand = self.strands[key]
        node = self._new_node(strand.points[index])
        self.add(Strand(strand.start, node, strand.points[: index + 1], strand.bridged[: index + 1]))
        self.add(Strand(node, strand.end, strand.points[index:], strand.bridged[index:]))
        self.remove(key)
        return node

    def shorten(self, key: int, node: int, count: int) -> None:
        """Take `count` points off the free end of a strand; at least two remain."""
        strand = self.strands[key]
        count = min(count, len(strand.points) - 2)
        if count <= 0:
            return
        kept = slice(count, None) if strand.start == node else slice(0, -count)
        self.strands[key] = Strand(strand.start, strand.end, strand.points[kept], strand.bridged[kept])
        self.nodes[node] = self.strands[key].from_node(node)[0]

    def detach(self, node: int, keys: Sequence[int]) -> int:
        """Give the ends of some strands at a node a node of their own, at the same place."""
        apart = self._new_node(self.nodes[node])
        for key in keys:
            self._move_end(key, node, apart)
        return apart

    def share(self, key: int, pairs: Sequence[Sequence[tuple[int, int]]]) -> None:
        """Replace a strand by one copy for each pair of (strand, node where it meets it)."""
        shared = self.strands[key]
        places = {node: self.nodes[node] for node in (shared.start, shared.end)}
        for pair in pairs:
            ends = [node for _, node in pair]
            if ends[0] == ends[1]:  # the pair goes straight on at one end of the shared strand
                joint = self._new_node(places[ends[0]])
                for other, node in pair:
                    self._move_end(other, node, joint)
                continue
            fresh = {node: self._new_node(places[node]) for node in ends}
            for other, node in pair:
                self._move_end(other, node, fresh[node])
            self.add(Strand(fresh[shared.start], fresh[shared.end], shared.points, shared.bridged))
        self.remove(key)

    def _new_node(self, place: FloatArray) -> int:
        node = self._next_node
        self._next_node += 1
        self.nodes[node] = place
        return node

    def _move_end(self, key: int, node: int, to: int) -> None:
        """Let a strand end at another node."""
        old = self.strands[key]
        start = to if old.start == node else old.start
        end = to if old.end == node and old.start != node else old.end
        self.strands[key] = Strand(start, end, old.points, old.bridged)
        self._at[node].remove(key)
        self._at.setdefault(to, []).append(key)
        if not self._at[node]:
            del self._at[node]
            self.nodes.pop(node, None)

    def merge(self) -> None:
        """Join the two strands that meet at a node where nothing else does."""
        for node in sorted(self._at):
            keys = self._at.get(node, ())
            if len(keys) != 2 or keys[0] == keys[1]:
                continue
            one, two = (self.strands[key] for key in keys)
            one = one if one.end == node else one.reversed()
            two = two if two.start == node else two.reversed()
            bridged = np.concatenate([one.bridged, two.bridged[1:]])
            bridged[len(one.points) - 1] |= two.bridged[0]  # either of them may be a gap
            joined = Strand(one.start, two.end, np.concatenate([one.points, two.points[1:]]), bridged)
            ends = [(n, self.nodes[n]) for n in (one.start, two.end)]
            first, second = keys
            self.remove(first)
            self.remove(second)
            self.nodes.update(ends)
            self.add(joined)

    def prune(self, shorter_than: float) -> None:
        """Drop short side branches: free at one end, at a fork with the other."""
        spurs = []
        for node, key in self.tips():
            strand = self.strands[key]
            if self.degree(strand.other(node)) > 2 and strand.length < shorter_than:
                spurs.append((strand.length, key))
        for _, key in sorted(spurs):
            ends = (self.strands[key].start, self.strands[key].end)
            if max(self.degree(node) for node in ends) > 2:  # the last two at a fork are one line
                self.remove(key)
        self.merge()

    def components(self) -> Iterator[list[int]]:
        """Keys of the strands of every connected part."""
        seen: set[int] = set()
        for first in sorted(self.strands):
            if first in seen:
                continue
            part, queue = [], [first]
            seen.add(first)
            while queue:
                key = queue.pop()
                part.append(key)
                for node in (self.strands[key].start, self.strands[key].end):
                    for other in self._at[node]:
                        if other not in seen:
                            seen.add(other)
                            queue.append(other)
            yield sorted(part)
