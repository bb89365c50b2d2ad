"""Ids that are the same in every run: name-based UUIDs of what an object is, not of when it was made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from uuid import UUID, uuid5

__all__ = ["stable_ids"]

_NAMESPACE = UUID("3a0c6c58-5d35-5b7a-8e54-2f2b4d1a9c77")


def stable_ids(
    section_id: str, analysis_key: str, kind: str, geometries_px: Iterable[Sequence[float]]
) -> list[str]:
    """One UUID (version 5) for each object of one kind in one section.

    Parameters
    ----------
    section_id, analysis_key : str
        Which section, under which effective inputs.
    kind : str
        What the objects are: "crossing", "fiber" ...
    geometries_px : iterable of sequence of float
        Coordinates in pixels that tell the objects apart; they are rounded to whole pixels. Objects
        that then coincide are told apart by their order.

    Returns
    -------
    list of str
        One id for each geometry, in their order.
    """
    seen: dict[str, int] = {}
    ids: list[str] = []
    for geometry in geometries_px:
        place = ",".join(str(round(float(value))) for value in geometry)
        ordinal = seen.get(place, 0)
        seen[place] = ordinal + 1
        ids.append(_id(f"{section_id}/{analysis_key}/{kind}/{place}/{ordinal}"))
    return ids


@lru_cache(maxsize=4096)  # a section that is counted again and again under review
def _id(name: str) -> str:
    return str(uuid5(_NAMESPACE, name))
