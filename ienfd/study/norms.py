"""The norms that a study was called with: a copy of each, so that it says the same elsewhere and later.

They are kept in the database, and so in every backup. The norms that come with ienfd are not copied. In
one study an id means one norm for good: a norm that took the place of another one would change calls,
signed ones among them, without anybody having called anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from ienfd import norms
from ienfd.errors import UsageError
from ienfd.norms import Norm
from ienfd.study.models import InfoRow

__all__ = ["altered_norms", "keep_norm", "known_norms", "load_norm_texts"]

_KEY = "norm/"


def keep_norm(session: Session, norm: Norm, text: str) -> None:
    """Keep a norm, unless it is there.

    Parameters
    ----------
    session : Session
        A writing transaction.
    norm : Norm
        Of a laboratory.
    text : str
        Its file.

    Raises
    ------
    UsageError
        `norm_differs` if the study has another one of this id.
    """
    kept = session.get(InfoRow, f"{_KEY}{norm.id}")
    if kept is None:
        session.add(InfoRow(key=f"{_KEY}{norm.id}", value=text))
        session.flush()
    elif _parsed(kept.value).sha256 != norm.sha256:
        raise UsageError("norm_differs", f"{norm.id}: {_said(_parsed(kept.value))}, not {_said(norm)}")


def load_norm_texts(session: Session) -> dict[str, str]:
    """The files of the norms that are kept, by id."""
    query = select(InfoRow).where(InfoRow.key.startswith(_KEY)).order_by(InfoRow.key)
    return {row.key.removeprefix(_KEY): row.value for row in session.scalars(query)}


def known_norms(texts: Sequence[str]) -> tuple[Norm, ...]:
    """The norms that a study calls by: those that come with ienfd, and the kept ones, which go before."""
    own = {norm.id: norm for norm in map(_parsed, texts)}
    built_in = (norms.load(norm_id) for norm_id in norms.available() if norm_id not in own)
    return (*built_in, *own.values())


def altered_norms(session: Session) -> Iterator[str]:
    """Ids of the kept norms that are not what somebody entered."""
    for norm_id, text in load_norm_texts(session).items():
        try:
            norm = _parsed(text)
        except UsageError:
            yield norm_id
            continue
        if norm.id != norm_id or not norm.intact:
            yield norm_id


@lru_cache(maxsize=64)
def _parsed(text: str) -> Norm:
    from ienfd.norms.reading import parse_norm

    return parse_norm(text, "a norm of the study")


def _said(norm: Norm) -> str:
    if norm.entered is None:
        return "one that nobody entered"
    return f"the one entered by {norm.entered.by}, {norm.entered.at[:10]} ({norm.sha256[:12]})"
