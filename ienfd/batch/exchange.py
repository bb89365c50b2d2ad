"""What leaves a study for the systems of a hospital: every biopsy as FHIR, or as DICOM."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from ienfd.batch.collect import drawn_overlay
from ienfd.batch.engine import Engine
from ienfd.batch.files import StudyFiles, write_atomic
from ienfd.batch.leaving import Leaving, prepare
from ienfd.report.entries import BiopsyEntry
from ienfd.report.exchange import Outgoing, outgoing
from ienfd.study.store import Store

__all__ = ["PdfOf", "export_dicom", "export_fhir"]

PdfOf = Callable[[BiopsyEntry], bytes | None]


def export_fhir(store: Store, out: Path, *, deidentify: bool, pdf: PdfOf | None = None) -> int:
    """Write every biopsy of a study as a FHIR R4B Bundle, `<biopsy>.fhir.json`; see `ienfd.report.fhir`.

    Parameters
    ----------
    store : Store
        The study.
    out : Path
        Made if it does not exist; files of these names in it are written anew.
    deidentify : bool
        Leave out what could tell whose they are.
    pdf : callable, optional
        Gives the report of a biopsy, as it is shown, as PDF, which is then attached; None for a biopsy
        without one.

    Returns
    -------
    int
        Number of biopsies.

    Raises
    ------
    MissingExtraError
        If the extra `fhir` is not installed.
    UsageError
        If `out` lies in the study or, where names are left out, is not empty.
    EnvironmentProblem
        If it cannot be written.
    """
    from ienfd.report.fhir import check_bundle, fhir_bundle, fhir_bytes, require_fhir

    require_fhir()
    biopsies = _outgoing(store, prepare(store, out, deidentify=deidentify))
    for biopsy in biopsies:
        bundle = fhir_bundle(biopsy, pdf(biopsy.entry) if pdf else None)
        check_bundle(bundle)
        write_atomic(out / f"{biopsy.stem}.fhir.json", fhir_bytes(bundle))
    return len(biopsies)


def export_dicom(store: Store, out: Path, *, deidentify: bool, engine: Engine | None = None) -> int:
    """Write every biopsy of a study as a DICOM SR with pictures as evidence; see `ienfd.report.dicom`.

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

    Returns
    -------
    int
        Number of biopsies.

    Raises
    ------
    MissingExtraError
        If the extra `dicom` is not installed.
    UsageError
        If `out` lies in the study or, where names are left out, is not empty.
    EnvironmentProblem
        If it cannot be written.
    """
    from ienfd.report.dicom import dicom_files, require_dicom

    require_dicom()
    leaving = prepare(store, out, deidentify=deidentify)
    biopsies = _outgoing(store, leaving)
    for biopsy in biopsies:
        overlays = _overlays(store, biopsy, leaving, engine or Engine())
        for name, data in dicom_files(biopsy, overlays, deidentify=deidentify).items():
            write_atomic(out / name, data)
    return len(biopsies)


def _outgoing(store: Store, leaving: Leaving) -> list[Outgoing]:
    sign_offs = () if leaving.deidentify else store.sign_offs()
    return outgoing(leaving.shown.biopsies, sign_offs, leaving.shown.courses)


def _overlays(store: Store, biopsy: Outgoing, leaving: Leaving, engine: Engine) -> Iterator[bytes | None]:
    files = StudyFiles(store.folder)
    for section in biopsy.entry.sections:
        place = section.placement
        protocol = leaving.content.protocols[place.protocol_hash]
        yield drawn_overlay(store, files, section, place, protocol, engine)
