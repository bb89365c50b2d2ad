"""What leaves a study as files: tables, pictures or geometry, with or without the names.

Which formats there are stands in `ienfd.batch.formats`. Every function here takes a study, a folder
that is made if it does not exist, and whether to leave out what could tell whose the sections are;
it returns the number of sections that were written, and raises UsageError if the folder lies in the
study or, where names are left out, is not empty, and EnvironmentProblem if it cannot be written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from ienfd.batch.collect import drawn_overlay
from ienfd.batch.engine import Engine
from ienfd.batch.files import StudyFiles, overlay_name, write_atomic
from ienfd.batch.leaving import Leaving, ShownSection, edits_by_section, prepare, write_sections
from ienfd.report.deidentify import place_of, without_detail
from ienfd.report.geojson import geojson_bytes, section_geojson
from ienfd.report.geojson_state import state_of
from ienfd.report.tables import make_tables
from ienfd.study.store import Store

__all__ = [
    "export_cohort", "export_csv", "export_geojson", "export_imagej_rois", "export_label_masks",
    "export_parquet", "export_xlsx",
]  # fmt: skip

_WORKBOOK = "study.xlsx"


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
    leaving = prepare(store, out, deidentify=deidentify)
    for name, data in make_tables(leaving.shown).items():
        write_atomic(out / name, data)
    files = StudyFiles(store.folder)
    for entry in leaving.content.sections:
        place = leaving.rows[place_of(entry.placement)]
        named = without_detail(entry) if deidentify else entry
        protocol = leaving.content.protocols[place.protocol_hash]
        picture = drawn_overlay(store, files, named, place, protocol, engine or Engine())
        if picture is not None:
            name = overlay_name(place.path, str(place.section_id), place.scene)
            write_atomic(out / "overlays" / name, picture)
    return len(leaving.shown.sections)


def export_geojson(store: Store, out: Path, *, deidentify: bool) -> int:
    """Write what was found in every section, with all corrections, as GeoJSON for QuPath.

    Each file is named as the overlay of its section is; see `ienfd.report.geojson` for what is in it.
    Sections that failed or await analysis have none.
    """
    leaving = prepare(store, out, deidentify=deidentify)
    log = edits_by_section(store)

    def written(it: ShownSection) -> bytes:
        known = [e for e in log.get(str(it.place.section_id), ()) if e.seq <= it.last_seq]
        state = state_of(it.place, known)
        shown = section_geojson(it.result, it.place.path, exclusions=it.exclusions, state=state)
        return geojson_bytes(shown)

    return write_sections(store, leaving, out, ".geojson", written)


def export_xlsx(store: Store, out: Path, *, deidentify: bool) -> int:
    """Write the tables of a study as one workbook; see `ienfd.report.xlsx`."""
    from ienfd.report.xlsx import workbook_bytes

    leaving = prepare(store, out, deidentify=deidentify)
    study = None if deidentify else store.folder.resolve().name
    write_atomic(out / _WORKBOOK, workbook_bytes(leaving.shown, study))
    return len(leaving.shown.sections)


def export_parquet(store: Store, out: Path, *, deidentify: bool) -> int:
    """Write the tables of a study as Parquet; see `ienfd.report.parquet`.

    Raises
    ------
    MissingExtraError
        If the extra `exports` is not installed.
    """
    from ienfd.report.parquet import parquet_files

    leaving = prepare(store, out, deidentify=deidentify)
    for name, data in parquet_files(leaving.shown, whole_dates=not deidentify).items():
        write_atomic(out / name, data)
    return len(leaving.shown.sections)


def export_cohort(
    store: Store,
    out: Path,
    *,
    deidentify: bool,
    group: str | None = None,
    on_groups: Callable[[Mapping[str, str]], None] = lambda names: None,
) -> int:
    """Write a study for statistics, one row a biopsy, with plots; see `ienfd.report.cohort`.

    Parameters
    ----------
    store : Store
        The study.
    out : Path
        Made if it does not exist; files of these names in it are written anew.
    deidentify : bool
        Leave out what could tell whose they are. What a further column of the case table says may be a
        name: such groups are then numbered.
    group : str, optional
        Column of biopsies.csv, or further column of the case table, by which biopsies are grouped.
    on_groups : callable, optional
        Told under which number each group is shown; that is written nowhere.

    Returns
    -------
    int
        Number of biopsies.

    Raises
    ------
    UsageError
        If there is no such column, `out` lies in the study or, where names are left out, is not empty.
    EnvironmentProblem
        If it cannot be written.
    """
    from ienfd.report.cohort import cohort_files

    leaving = prepare(store, out, deidentify=deidentify)
    groups = None if group is None else _groups(leaving, group, on_groups)
    for name, data in cohort_files(leaving.shown, groups).items():
        write_atomic(out / name, data)
    return len(leaving.shown.biopsies)


def _groups(
    leaving: Leaving, column: str, on_groups: Callable[[Mapping[str, str]], None]
) -> list[str | None]:
    """Group of each biopsy, as it may be shown."""
    from ienfd.report.cohort import groups_of, is_own

    if is_own(column):
        return groups_of(leaving.shown, column)
    biopsies = zip(leaving.content.biopsies, groups_of(leaving.content, column), strict=True)
    said = {id(leaving.rows[place_of(entry.sections[0].placement)]): name for entry, name in biopsies}
    groups = [said[id(entry.sections[0].placement)] for entry in leaving.shown.biopsies]
    if not leaving.deidentify:
        return groups
    names = sorted({name for name in groups if name is not None})
    numbers = {name: f"group {number}" for number, name in enumerate(names, 1)}
    on_groups(numbers)
    return [None if name is None else numbers[name] for name in groups]


def export_imagej_rois(store: Store, out: Path, *, deidentify: bool) -> int:
    """Write a set of ROIs for ImageJ for every section in which something was found.

    See `ienfd.report.rois` for what is in it.

    Raises
    ------
    MissingExtraError
        If the extra `exports` is not installed.
    """
    from ienfd.report.rois import load_roifile, roi_set_bytes

    load_roifile()
    leaving = prepare(store, out, deidentify=deidentify)
    return write_sections(
        store, leaving, out, ".zip", lambda it: roi_set_bytes(it.result, exclusions=it.exclusions)
    )


def export_label_masks(store: Store, out: Path, *, deidentify: bool) -> int:
    """Write label masks, as OME-TIFF, for every section in which epidermis was found.

    See `ienfd.report.label_masks` for what is in them.
    """
    from ienfd.report.label_masks import label_mask_bytes

    leaving = prepare(store, out, deidentify=deidentify)
    return write_sections(
        store, leaving, out, "_labels.ome.tif",
        lambda it: label_mask_bytes(it.result, it.stem, exclusions=it.exclusions),
    )  # fmt: skip
