"""The norms of a run: those of the laboratory that its protocol names are kept in the study first."""

from __future__ import annotations

from pathlib import Path

from ienfd import norms
from ienfd.batch.files import write_atomic
from ienfd.errors import UsageError
from ienfd.norms import Norm
from ienfd.norms.laboratory import find, own_norms
from ienfd.protocol import Protocol
from ienfd.study.store import Store

__all__ = ["keep_norms", "norm_of", "write_norms"]

_FOLDER = "norms"


def keep_norms(store: Store, protocol: Protocol) -> None:
    """Keep a copy of every norm of the laboratory that a protocol names.

    Raises
    ------
    UsageError
        `unknown_norm` if there is none of that name, `norm_differs` if the study has another one.
    """
    for norm_id in filter(None, (protocol.call.norm_bright_field, protocol.call.norm_fluorescence)):
        norm, text = norm_of(store, norm_id)
        if text is not None:
            store.keep_norm(norm, text)


def norm_of(store: Store, norm_id: str) -> tuple[Norm, str | None]:
    """The norm of an id for a study, and its file where that is the laboratory's.

    A norm that the study has kept needs no file of the laboratory: the study may have come from elsewhere.

    Raises
    ------
    UsageError
        `unknown_norm` if there is none; the reason of its file if it may not be used.
    """
    own = {one.path.stem: one for one in own_norms()}
    if norm_id in own and norm_id not in norms.available():
        return find(norm_id), own[norm_id].text
    kept = {norm.id: norm for norm in store.norms()}
    if norm_id in kept:
        return kept[norm_id], None
    there = sorted({*kept, *(name for name, one in own.items() if one.norm is not None)})
    raise UsageError("unknown_norm", f"{norm_id!r}; there are {', '.join(there)}")


def write_norms(store: Store) -> None:
    """Write what the study has kept as files beside its tables, for people to read and to pass on."""
    for norm_id, text in store.norm_texts().items():
        path = store.folder / _FOLDER / f"{norm_id}.toml"
        if _content(path) != text.encode():
            write_atomic(path, text.encode())


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
