"""What leaves a study as files: its tables and pictures, or its geometry, with or without the names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ienfd.batch.collect import drawn_overlay
from ienfd.batch.engine import Engine
from ienfd.batch.files import StudyFiles, overlay_name, write_atomic
from ienfd.errors import UsageError
from ienfd.protocol import Protocol
from ienfd.report.content import Content, gather
from ienfd.report.deidentify import Place, deidentified, place_of, without_detail
from ienfd.report.entries import SectionEntry
from ienfd.report.geojson import geojson_bytes, section_geojson
from ienfd.report.tables import make_tables
from ienfd.result import SectionResult, Status, Stretch
from ienfd.skin.lengths import effective_exclusions
from ienfd.study.records import Placement
from ienfd.study.store import Store

__all__ = ["export_csv", "export_geojson"]


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
    _check_target(store, out, deidentify)
    content = gather(store)
    shown, rows = _under_names(store, content, deidentify)
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


def export_geojson(store: Store, out: Path, *, deidentify: bool) -> int:
    """Write what was found in every section, with all corrections, as GeoJSON for QuPath.

    Each file is named as the overlay of its section is; see `ienfd.report.geojson` for what is in it.

    Parameters
    ----------
    store : Store
        The study.
    out : Path
        Made if it does not exist; files of these names in it are written anew.
    deidentify : bool
        Leave out what could tell whose they are.

    Returns
    -------
    int
        Number of files: sections that failed or await analysis have none.

    Raises
    ------
    UsageError
        If `out` lies in the study or, where names are left out, is not empty.
    EnvironmentProblem
        If it cannot be written.
    """
    _check_target(store, out, deidentify)
    content = gather(store)
    _, rows = _under_names(store, content, deidentify)
    written = set()
    for entry in content.sections:
        place = rows[place_of(entry.placement)]
        protocol = content.protocols[place.protocol_hash]
        result = _with_geometry(store, entry)
        if result is None:
            continue
        collection = section_geojson(result, place.path, exclusions=_exclusions(result, protocol))
        path = out / overlay_name(place.path, str(place.section_id), place.scene)
        written.add(path.with_suffix(".geojson"))
        write_atomic(path.with_suffix(".geojson"), geojson_bytes(collection))
    return len(written)


def _check_target(store: Store, out: Path, deidentify: bool) -> None:
    study = store.folder.resolve()
    if study == out.resolve() or study in out.resolve().parents:
        raise UsageError("option_invalid", f"--out {out} lies in the study")
    if deidentify and out.exists() and any(out.iterdir()):
        raise UsageError("option_invalid", f"--out {out} is not empty: names may stand in what lies there")


def _under_names(
    store: Store, content: Content, deidentify: bool
) -> tuple[Content, Mapping[Place, Placement]]:
    """The content as it is shown, and under which names each of its places is."""
    if deidentify:
        return deidentified(content, store.study_id())
    return content, {place_of(entry.placement): entry.placement for entry in content.sections}


def _with_geometry(store: Store, entry: SectionEntry) -> SectionResult | None:
    """The result of a section with all that was found in it; None where there is none."""
    corrected, analysis_id = entry.corrected, entry.placement.analysis_id
    if corrected is None or analysis_id is None:
        return None
    result = corrected.result
    if not corrected.edits:  # what was read for the tables has no geometry
        result = replace(result, findings=store.findings(analysis_id))
    if entry.status == "ok":
        return result
    # as in the tables: nothing is counted in it, be it a negative control in which crossings were found
    crossings = tuple(replace(c, counted=False, reason="section_refused") for c in result.crossings)
    return replace(result, status=Status.REFUSED, reason=entry.reason, crossings=crossings)


def _exclusions(result: SectionResult, protocol: Protocol) -> tuple[Stretch, ...] | None:
    """All that is not evaluated, as the overlay shows it; None where nothing could be measured."""
    found = result.findings
    if found.pixel_size_um is None:
        return None
    return effective_exclusions(
        found.pieces,
        found.exclusions,
        pixel_size_um=found.pixel_size_um,
        cut_edge_um=protocol.counting.cut_edge_um,
    )
