"""What leaves a study as files: its tables and pictures, with or without the names in them."""

from __future__ import annotations

from pathlib import Path

from ienfd.batch.collect import drawn_overlay
from ienfd.batch.engine import Engine
from ienfd.batch.files import StudyFiles, overlay_name, write_atomic
from ienfd.errors import UsageError
from ienfd.report.content import gather
from ienfd.report.deidentify import deidentified, place_of, without_detail
from ienfd.report.tables import make_tables
from ienfd.study.store import Store

__all__ = ["export_csv"]


def export_csv(store: Store, out: Path, *, deidentify: bool, engine: Engine | None = None) -> int:
    """Write the tables and overlays of a study to a folder; returns the number of sections.

    Parameters
    ----------
    store : Store
        The study.
    out : Path
        Made if it does not exist; files of these names in it are written anew.
    deidentify : bool
        Leave out what could tell whose they are, also from the pictures.
    engine : Engine, optional
        Who draws; the program's own when it is not given.

    Raises
    ------
    UsageError
        If `out` lies in the study or, where names are left out, is not empty.
    EnvironmentProblem
        If it cannot be written.
    """
    study = store.folder.resolve()
    if study == out.resolve() or study in out.resolve().parents:
        raise UsageError("option_invalid", f"--out {out} lies in the study")
    if deidentify and out.exists() and any(out.iterdir()):
        raise UsageError("option_invalid", f"--out {out} is not empty: names may stand in what lies there")
    content = gather(store)
    rows = {place_of(entry.placement): entry.placement for entry in content.sections}
    shown = content
    if deidentify:
        shown, rows = deidentified(content, store.study_id())
    for name, data in make_tables(shown).items():
        write_atomic(out / name, data)
    files = StudyFiles(store.folder)
    for entry in content.sections:
        place = rows[place_of(entry.placement)]
        named = without_detail(entry) if deidentify else entry
        protocol = content.protocols[place.protocol_hash]
        picture = drawn_overlay(store, files, named, place, protocol, engine or Engine())
        if picture is not None:
            name = overlay_name(place.path, str(place.section_id), place.scene)
            write_atomic(out / "overlays" / name, picture)
    return len(shown.sections)
